// Asks for the camera once, says how that went, and lets go of it at once.
export default function (component) {
  const { parentElement, setStateValue } = component;
  const place = parentElement.querySelector("span");
  if (place.dataset.asked) return;
  place.dataset.asked = "yes";
  const tell = (text) => setStateValue("outcome", text);
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
    tell("insecure: mediaDevices undefined");
    return;
  }
  navigator.mediaDevices
    .getUserMedia({ video: true, audio: false })
    .then((stream) => {
      stream.getTracks().forEach((track) => track.stop());
      tell("ok");
    })
    .catch((error) => tell(`${error.name}: ${error.message}`));
}
