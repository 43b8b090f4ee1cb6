"""Watched folders: files that a vendor delivers by the hour into a folder or bucket, taken up once each."""
