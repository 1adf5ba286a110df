// What a stroke is to the model: 32 steps [dx, dy] of equal length along it, whatever its size and speed were.

export const steps = 32;
export const names = ['circle', 'line', 'zigzag', 'spiral', 'square'];
export const classes = names.length;

/** Steps of a stroke, a list of points [x, y]. Undefined for less than a stroke. */
export function stepsOf(points) {
  const lengths = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1]));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (!(total > 0) || points.length < 3) return undefined;
  const [at, result] = [[...points[0]], []];
  let [i, passed] = [0, 0];
  for (let n = 1; n <= steps; n++) {
    const goal = (n / steps) * total;
    while (i < lengths.length - 1 && passed + lengths[i] < goal) passed += lengths[i++];
    const share = lengths[i] > 0 ? Math.min((goal - passed) / lengths[i], 1) : 0;
    const next = [0, 1].map((axis) => points[i][axis] + share * (points[i + 1][axis] - points[i][axis]));
    // A step straight ahead has length 1.
    result.push([0, 1].map((axis) => ((next[axis] - at[axis]) / total) * steps));
    at.splice(0, 2, ...next);
  }
  return result;
}

const corners = {
  line: [0, 0, 1, 0.3],
  zigzag: [0, 0, 0.3, 1, 0.6, 0, 1, 1],
  square: [0, 0, 1, 0, 1, 1, 0, 1, 0, 0],
  hook: [0, 0, 0, 1, 0.6, 1],
  roof: [0, 1, 0.5, 0, 1, 1],
  flag: [0, 1, 0, 0, 1, 0.3, 0, 0.6],
};

/** Points of a stroke of a kind as a hand might draw it: larger or smaller, turned a little, trembling. */
export function drawn(kind, random) {
  const between = (low, high) => low + (high - low) * random();
  const [scale, angle, count] = [between(60, 160), between(-0.3, 0.3), Math.round(between(25, 60))];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return Array.from({ length: count }, (_, n) => {
    const [x, y] = placeOn(kind, n / (count - 1));
    const [u, v] = [x * scale + between(-2, 2), y * scale + between(-2, 2)];
    return [100 + u * cos - v * sin, 100 + u * sin + v * cos];
  });
}

function placeOn(kind, share) {
  const turn = 2 * Math.PI * share;
  if (kind === 'circle') return [Math.cos(turn), Math.sin(turn)];
  if (kind === 'spiral') return [share * Math.cos(3 * turn), share * Math.sin(3 * turn)];
  const list = corners[kind];
  const sides = list.length / 2 - 1;
  const side = Math.min(Math.floor(share * sides), sides - 1);
  const along = share * sides - side;
  return [0, 1].map((axis) => list[2 * side + axis] + along * (list[2 * side + 2 + axis] - list[2 * side + axis]));
}
