// The theme: the server writes data-theme from the cookie, so nothing flashes; this only changes it.
const YEAR = 31536000;

function apply(theme) {
  const root = document.documentElement;
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${theme ? YEAR : 0}; SameSite=Lax${secure}`;
  document.dispatchEvent(new CustomEvent("themechange"));
}

document.addEventListener("change", (event) => {
  const choice = event.target.closest("[data-theme-choice]");
  if (choice) apply(event.target.value);
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("themechange"));
});
