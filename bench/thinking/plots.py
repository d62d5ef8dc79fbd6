"""Small SVG plots for docs/thinking-pays.md: points with 95 % intervals, and lines. Called by `tables plot`."""
import os

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
COLOURS = ("#1b6ca8", "#c2571a", "#3a7d44", "#7a4fa3")
LEFT, RIGHT, TOP, BOTTOM = 54, 16, 34, 66


class Plot:
    """One plot: `labels` are the places on the x axis; y runs from 0 to 100 %."""

    def __init__(self, title, labels, width=560, height=300):
        self.labels, self.width, self.height, self.legend = labels, width, height, []
        self.parts = [f'<rect width="{width}" height="{height}" fill="white"/>', text(width / 2, 18, title, "middle", 13)]
        for y in range(0, 101, 20):
            self.parts.append(f'<path d="M{LEFT} {self.y(y):.1f}H{width - RIGHT}" stroke="#ddd"/>')
            self.parts.append(text(LEFT - 6, self.y(y) + 4, f"{y} %", "end"))
        for i, label in enumerate(labels):
            for k, line in enumerate(str(label).split("\n")):
                self.parts.append(text(self.x(i), height - BOTTOM + 16 + 12 * k, line))

    def x(self, place):
        return LEFT + (place + 0.5) * (self.width - LEFT - RIGHT) / len(self.labels)

    def y(self, percent):
        return TOP + (100 - percent) * (self.height - TOP - BOTTOM) / 100

    def series(self, name, points, line=True, shift=0.0):
        """points: (place, mean, (low, high))"""
        colour = COLOURS[len(self.legend) % len(COLOURS)]
        self.legend.append(name)
        if line:
            path = " ".join(f"{'M' if i == 0 else 'L'}{self.x(p[0]):.1f} {self.y(p[1]):.1f}" for i, p in enumerate(points))
            self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for place, mean, (low, high) in points:
            x = self.x(place + shift)
            self.parts.append(f'<path d="M{x:.1f} {self.y(low):.1f}V{self.y(high):.1f}" stroke="{colour}"/>')
            self.parts.append(f'<circle cx="{x:.1f}" cy="{self.y(mean):.1f}" r="3.5" fill="{colour}"/>')

    def save(self, name):
        place = LEFT
        for i, label in enumerate(self.legend):
            y = self.height - 12
            self.parts.append(f'<circle cx="{place}" cy="{y - 4}" r="4" fill="{COLOURS[i % len(COLOURS)]}"/>' + text(place + 8, y, label, "start"))
            place += 26 + 6.2 * len(label)
        svg = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
               f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif">' + "\n".join(self.parts) + "</svg>\n")
        with open(os.path.join(DOCS, f"thinking-pays-{name}.svg"), "w", encoding="utf-8") as out:
            out.write(svg)


def text(x, y, words, anchor="middle", size=11):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="#222">{words}</text>'


def point(results, arm, split, place, first=False):
    r = results.rights(arm, split)
    r = r[:1] if first else r
    return place, 100 * r.mean(), results.interval(results.draws([r], split)[:, 0])


def draw_arms(results):
    arms = [("answer", "(a) at once"), ("captions", "(b) + captions"), ("answer_long", "(a) at (c)'s\ntokens"), ("chain", "(c) chain"),
            ("chain_early", "(c) at (a)'s\ntokens"), ("forced", "(d) chain,\nforced")]
    arms = [(a, t) for a, t in arms if len(results.rights(a, "test-unseen"))]
    plot = Plot("Accuracy by arm: three seeds, 95 % intervals", [t for _, t in arms])
    for k, split in enumerate(("test-known", "test-unseen")):
        plot.series(split, [point(results, a, split, i) for i, (a, _) in enumerate(arms)], line=False, shift=0.14 * (2 * k - 1))
    plot.save("arms")


def draw_sizes(results):
    sizes = [("_1000", "1,000"), ("_4000", "4,000"), ("", "12,200")]
    if not len(results.rights("chain_1000", "test-unseen")):
        return
    plot = Plot("Accuracy (unseen) by rows of training, equal steps, seed 1", [t for _, t in sizes])
    for arm, title in (("chain", "(c) chain"), ("answer", "(a) at once")):
        points = [point(results, arm + s, "test-unseen", i, first=True) for i, (s, _) in enumerate(sizes)
                  if len(results.rights(arm + s, "test-unseen"))]
        if points:
            plot.series(title, points)
    plot.save("sizes")


def draw_scaling(results, scaling):
    found = {m: {str(row[0]): row[1:3] for row in scaling(results, m)} for m in ("proxy", "nano") if m in results.splits}
    counts = ["1", "2", "4", "8", "16"]
    plot = Plot("Accuracy by voted samples (temperature 0.7)", ["greedy"] + counts)
    for model, values in found.items():
        points = [(i, *values[label]) for i, label in enumerate(["greedy"] + counts) if label in values]
        if points:
            plot.series({"proxy": "proxy, (c) seed 1", "nano": "nano v2"}[model], points)
    plot.save("votes")
    budgets = ["0", "8", "16", "32", "greedy"]
    plot = Plot("Accuracy by the most tokens of one section", ["0", "8", "16", "32", "no limit"])
    for model, values in found.items():
        for section in ("caption", "reasoning"):
            labels = [b if b == "greedy" else f"{section}={b}" for b in budgets]
            points = [(i, *values[label]) for i, label in enumerate(labels) if label in values]
            if len(points) > 1:
                plot.series(f"{model}, {section.upper()}", points)
    plot.save("budgets")


def draw(results, scaling):
    draw_arms(results)
    draw_sizes(results)
    draw_scaling(results, scaling)
