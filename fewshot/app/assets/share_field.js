// The field on the page Live. What it does is the same as on the separate page, so it loads that script.
export default function (component) {
  const { data, parentElement } = component;
  const place = parentElement.querySelector(".share");
  const link = place.querySelector("a");
  link.href = new URL(`share/?ticket=${encodeURIComponent(data.ticket)}`, document.baseURI);
  const tell = (state) => {
    const none = place.querySelector(".choose").hidden || state === "elsewhere";
    link.hidden = none || Boolean(place.querySelector("video").srcObject);
  };
  let detach = null, gone = false;
  import(new URL("share/share.js", document.baseURI)).then((sharing) => {
    if (!gone) detach = sharing.attach(place, data.ticket, tell, data.connected);
  });
  return () => {
    gone = true;
    if (detach) detach();
  };
}
