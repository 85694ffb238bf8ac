export default function (component) {
  const { data, parentElement } = component;
  const image = parentElement.querySelector("img");
  image.src = `data:image/jpeg;base64,${data.jpeg}`;
  image.alt = data.words;
}
