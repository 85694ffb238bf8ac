// The page of its own: its address names the lesson by a ticket.
import { attach } from "./share.js";

const place = document.querySelector(".share");
const ticket = new URLSearchParams(location.search).get("ticket");
if (ticket) {
  // A tab that is closed by mistake ends the sharing, so the browser asks first.
  let sharing = false;
  attach(place, ticket, (state) => {
    sharing = ["connecting", "ready", "sharing", "fallback", "lost", "covered"].includes(state);
    document.title = `${sharing ? "Sharing" : "Share a window"} - fewshot`;
  });
  window.addEventListener("beforeunload", (event) => sharing && event.preventDefault());
} else {
  place.textContent = "This address names no lesson. Open the page Live, choose “Shared window”, and follow its link.";
}
