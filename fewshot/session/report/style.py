"""The look of the HTML report: light, dark, and on paper."""

from __future__ import annotations

from fewshot.session.charts.theme import DARK, LIGHT, Theme


def _variables(theme: Theme, line: str, link: str) -> str:
    names = ("ink", "paper", "quiet", "absent")
    return "".join(f"--{name}:{getattr(theme, name)};" for name in names) + f"--line:{line};--link:{link}"


_LIGHT, _DARK = _variables(LIGHT, "#d9dee3", "#0a58ca"), _variables(DARK, "#333b44", "#7fb4ff")

# Charts are drawn once, in light colours; these rules adapt their ink and paper to the page.
_CHARTS = "".join(
    f'figure svg [{kind}="{getattr(LIGHT, name)}"]{{{kind}:var(--{name})}}'
    for kind in ("fill", "stroke")
    for name in ("ink", "paper", "quiet", "absent")
)

STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 Inter,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif}}
main{{max-width:960px;margin:0 auto;padding:32px 24px 64px}}
h1{{font-size:28px;line-height:1.2;margin:0 0 4px}}
h2{{font-size:20px;margin:44px 0 8px;padding-top:20px;border-top:1px solid var(--line)}}
p{{margin:8px 0 12px;max-width:76ch}}
.quiet,figcaption,small{{color:var(--quiet);font-size:14px}}
.lead{{font-size:18px}}
dl{{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:16px 0}}
dt{{color:var(--quiet)}} dd{{margin:0;overflow-wrap:anywhere}}
aside p{{max-width:none}}
aside{{border:1px solid var(--line);border-left:4px solid #d55e00;border-radius:6px;
padding:4px 16px;margin:20px 0;font-size:14px}}
.badge{{display:inline-block;border:1px solid currentColor;border-radius:99px;
padding:1px 12px;font-size:13px;margin:0 0 8px}}
figure{{margin:16px 0}}
figure svg{{display:block;width:100%;height:auto}}
figure svg text{{font-family:inherit}}
@media screen and (max-width:760px){{figure svg{{width:720px}}}}
.scroll{{overflow-x:auto}}
ol.markers{{columns:17rem;margin:4px 0 12px;padding-left:2em}}
.legend{{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin:12px 0;font-size:14px}}
.legend li{{display:flex;align-items:center;gap:6px}}
ol.moments{{list-style:none;padding:0;margin:12px 0}}
ol.moments li{{display:grid;grid-template-columns:32px 1fr;gap:12px;
padding:12px 0;border-bottom:1px solid var(--line)}}
.letter{{width:32px;height:32px;border-radius:50%;border:2px solid currentColor;
display:grid;place-items:center;font-weight:700}}
.when{{font-variant-numeric:tabular-nums;font-weight:600}}
table{{border-collapse:collapse;font-size:14px;margin:12px 0;font-variant-numeric:tabular-nums}}
th,td{{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}}
caption{{text-align:left;padding:0 0 4px}}
thead th{{color:var(--quiet);font-weight:600}}
summary{{cursor:pointer;color:var(--link);font-size:14px;padding:4px 0}}
summary:focus-visible,a:focus-visible{{outline:2px solid var(--link);outline-offset:2px}}
{_CHARTS}
@media print{{
:root{{color-scheme:light;{_LIGHT}}}
@page{{size:A4;margin:14mm}}
body{{font-size:11pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}}
main{{max-width:none;padding:0}}
h2{{break-after:avoid;margin-top:24px}}
figure,aside,ol.moments li,tr{{break-inside:avoid}}
details::details-content{{content-visibility:visible;display:block;block-size:auto;height:auto;opacity:1}}
summary{{list-style:none;color:inherit;font-weight:600;break-after:avoid}}
.scroll{{overflow:visible}}
table{{font-size:8.5pt}}
th,td{{padding-right:8px}}
thead th{{white-space:nowrap}}
}}
"""
