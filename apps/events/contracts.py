"""Words about events that other rooms share."""

from collections.abc import Mapping

PLATFORM_NAMES: Mapping[str, str] = {
    "google_ads": "Google Ads", "meta_ads": "Meta Ads", "tiktok_ads": "TikTok Ads", "linkedin_ads": "LinkedIn Ads",
    "ga4": "Google Analytics 4", "shopify": "Shopify", "stripe": "Stripe", "mailchimp": "Mailchimp",
    "webhook": "Webhook", "csv": "CSV files", "api": "API", "ttd": "The Trade Desk", "beeswax": "Beeswax",
    "madhive": "Madhive", "hulu": "Hulu", "disney": "Disney+", "linear": "Linear TV", "retail": "Retail media",
    "pinterest_ads": "Pinterest Ads", "snapchat_ads": "Snapchat Ads", "reddit_ads": "Reddit Ads", "x_ads": "X Ads",
    "microsoft_ads": "Microsoft Advertising", "amazon_ads": "Amazon Ads", "apple_search_ads": "Apple Search Ads",
}  # fmt: skip
PLATFORM_KINDS: Mapping[str, str] = {
    "hulu": "streaming", "disney": "streaming", "madhive": "streaming", "linear": "linear",
    "google_ads": "digital", "meta_ads": "digital", "tiktok_ads": "digital", "linkedin_ads": "digital",
    "pinterest_ads": "digital", "snapchat_ads": "digital", "reddit_ads": "digital", "x_ads": "digital",
    "microsoft_ads": "digital", "amazon_ads": "retail", "apple_search_ads": "digital",
    "ttd": "programmatic", "beeswax": "programmatic", "retail": "retail",
}  # fmt: skip


def platform_name(platform: str) -> str:
    """How people call the platform; one that an organisation registered itself keeps its own slug."""
    return PLATFORM_NAMES.get(platform, platform)
