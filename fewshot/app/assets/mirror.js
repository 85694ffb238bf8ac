// Shows a person the own camera as in a mirror, with an oval where the face should be. The picture goes nowhere from here:
// what the server gets, another connection sends. The camera is released when the mirror leaves the page.
export default function (component) {
  const { data, parentElement } = component;
  const video = parentElement.querySelector("video");
  video.setAttribute("aria-label", data.label);
  const [middle, down, tall] = data.oval;
  const oval = parentElement.querySelector(".oval");
  const shape = () => {
    const { videoWidth: width, videoHeight: height } = video;
    if (!width) return;
    oval.style.left = `${100 * middle}%`;
    oval.style.top = `${100 * down}%`;
    oval.style.height = `${100 * tall}%`;
    oval.style.width = `${(100 * tall * 0.76 * height) / width}%`;
    oval.hidden = false;
  };
  video.onresize = video.onloadedmetadata = shape;
  shape();
  if (video.asked) return;
  video.asked = true;
  navigator.mediaDevices?.getUserMedia(data.constraints).then(
    (stream) => {
      const release = () => stream.getTracks().forEach((track) => track.stop());
      if (!video.isConnected) return release();
      video.srcObject = stream;
      const watch = setInterval(() => {
        if (video.isConnected) return;
        clearInterval(watch);
        release();
      }, 300);
    },
    () => (parentElement.querySelector(".mirror").hidden = true), // the words beside it say what is wrong
  );
}
