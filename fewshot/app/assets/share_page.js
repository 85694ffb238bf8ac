// The page of its own: its address names the lesson by a ticket.
import { attach } from "./share.js";

const place = document.querySelector(".share");
const words = JSON.parse(document.querySelector("#words").textContent);
const ticket = new URLSearchParams(location.search).get("ticket");
if (ticket) {
  // A tab that is closed by mistake ends the sharing, so the browser asks first.
  let sharing = false;
  attach(place, ticket, words, (state) => {
    sharing = ["connecting", "ready", "sharing", "fallback", "lost", "covered"].includes(state);
    document.title = sharing ? words.busy : words.title;
  });
  window.addEventListener("beforeunload", (event) => sharing && event.preventDefault());
} else {
  place.textContent = words.nothing;
}
