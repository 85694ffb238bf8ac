// The field on the page Live. What it does is the same as on the separate page, so it loads that script.
export default function (component) {
  const { data, parentElement } = component;
  const place = parentElement.querySelector(".share");
  const link = place.querySelector("a");
  const { ticket, language } = data;
  link.href = new URL(`share/?${new URLSearchParams({ ticket, language })}`, document.baseURI);
  link.textContent = data.words.link;
  const tell = (state) => {
    const none = place.querySelector(".choose").hidden || state === "elsewhere";
    link.hidden = none || Boolean(place.querySelector("video").srcObject);
  };
  let detach = null, gone = false;
  import(new URL("share/share.js", document.baseURI)).then((sharing) => {
    if (!gone) detach = sharing.attach(place, data.ticket, data.words, tell, data.connected);
  });
  return () => {
    gone = true;
    if (detach) detach();
  };
}
