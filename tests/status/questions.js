// Asked of the page in the frame, once it has been laid out.
const frame = document.getElementById('page');
const channel = (value) => {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
};
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parts = (color) => color.match(/[\d.]+/g).map(Number);
const contrast = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};
// The first background below a text that is not see-through; the window's own at last.
const background = (view, element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = parts(view.getComputedStyle(at).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return view.matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
};
frame.addEventListener('load', () => {
  const inner = frame.contentDocument, view = frame.contentWindow;
  const walker = inner.createTreeWalker(inner.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let texts = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    const tag = element.tagName.toLowerCase();
    if (!node.textContent.trim() || tag === 'script' || tag === 'style' || tag === 'title') continue;
    if (!element.getClientRects().length) continue;
    texts += 1;
    const ratio = contrast(parts(view.getComputedStyle(element).color), background(view, element));
    if (ratio < 4.5) faint.push(`${node.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  const width = inner.documentElement.scrollWidth;
  const wide = [...inner.body.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > width);
  const found = {
    texts, faint, width,
    wide: wide.map((element) => element.outerHTML.slice(0, 80)),
    scheme: view.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    late: !inner.getElementById('late').hidden,
  };
  document.getElementById('found').textContent = JSON.stringify(found);
});
