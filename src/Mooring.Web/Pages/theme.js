// Runs before the first paint, so that a chosen theme does not flash.
try {
  const chosen = localStorage.getItem("mooring.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // No storage: the system's preference counts.
}
