// Asks for the camera once, says how that went, and lets go of it at once. Where there is none, or where another program
// has it, it asks again every two seconds, so that plugging it in is enough.
export default function (component) {
  const { parentElement, setStateValue } = component;
  const place = parentElement.querySelector("span");
  if (place.dataset.asked) return;
  place.dataset.asked = "yes";
  let told = "";
  const tell = (text) => {
    if (text !== told) setStateValue("outcome", (told = text));
  };
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
    tell("insecure: mediaDevices undefined");
    return;
  }
  const ask = () =>
    navigator.mediaDevices
      .getUserMedia({ video: true, audio: false })
      .then((stream) => {
        stream.getTracks().forEach((track) => track.stop());
        tell("ok");
      })
      .catch((error) => {
        tell(`${error.name}: ${error.message}`);
        const passing = /NotFound|NotReadable|Abort|TrackStart/.test(error.name);
        if (passing && place.isConnected) setTimeout(ask, 2000);
      });
  ask();
}
