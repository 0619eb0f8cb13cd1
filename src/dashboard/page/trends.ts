// Series over time. They come with the service's statistics.
export function Trends() {
  return null;
}
