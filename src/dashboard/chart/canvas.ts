// A canvas as wide as its place, drawn again when its size, the theme or its content changes.
import { useEffect, useRef, useState } from "preact/hooks";
import { theme } from "../view/theme.ts";

export type Draw = (context: CanvasRenderingContext2D, width: number) => void;

/** @param draw is called with pixels of the style sheet */
export function useCanvas(heightFor: (width: number) => number, draw: Draw) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [, setScheme] = useState(0);
  const look = theme.value;

  useEffect(() => {
    const parent = canvas.current?.parentElement;
    if (parent == null) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(parent.clientWidth)));
    observer.observe(parent);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => setScheme((count) => count + 1);
    scheme.addEventListener("change", repaint);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", repaint);
    };
  }, []);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element == null || context == null || width === 0) return;
    const height = heightFor(width);
    const scale = devicePixelRatio || 1;
    element.width = width * scale;
    element.height = height * scale;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    context.scale(scale, scale);
    draw(context, width);
  });

  return { canvas, width, look };
}
