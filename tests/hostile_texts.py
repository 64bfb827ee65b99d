"""A hundred strings that try to break out of Markdown, of HTML, or of the line they stand on."""

_LINKS = """\
[click](https://evil.example/)
[click](javascript:alert(1))
[click](<javascript:alert(1)>)
[click](data:text/html;base64,PHNjcmlwdD4=)
[click][ref]
[ref]: https://evil.example/ "title"
[x]: javascript:alert(1)
[^1]
[^1]: a footnote
[[1]](https://evil.example/#char=0,9)
[1]
[1](https://evil.example/)
](https://evil.example/) [more
](https://evil.example/)
) [click](https://evil.example/
<https://evil.example/>
<javascript:alert(1)>
<mailto:a@evil.example>
https://evil.example/path?q=1
HTTPS://EVIL.EXAMPLE
http://evil.example/[x](y)
http://evil.example/`tick
ftp://evil.example/file
www.evil.example
WWW.EVIL.EXAMPLE/a
evil.example/login
someone@evil.example
mailto:someone@evil.example
xmpp:someone@evil.example/room
//evil.example/protocol-relative
http://127.0.0.1:8000/v1/documents
https://evil.example\\
\\https://evil.example
https\\://evil.example
(https://evil.example)
"https://evil.example"
*https://evil.example*
[]()
[ ](https://evil.example)
[a]( https://evil.example "title")"""

_IMAGES = """\
![x](https://evil.example/pixel.png)
![x](data:image/svg+xml,<svg onload=alert(1)>)
![x][ref]
!\\[x](https://evil.example/pixel.png)
[![x](https://evil.example/pixel.png)](https://evil.example)
!https://evil.example/pixel.png!
<img src=https://evil.example/pixel.png>
<img src=x onerror=alert(1)>
<image href=https://evil.example/pixel.png>
<picture><source srcset=https://evil.example/pixel.png></picture>"""

_HTML = """\
<script>alert(1)</script>
<svg onload=alert(1)>
<svg><script>alert(1)</script></svg>
<iframe src=https://evil.example></iframe>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<a href="javascript:alert(1)">x</a>
<b onmouseover=alert(1)>x</b>
<!-- comment
--> after
<![CDATA[ x ]]>
<?php echo 1 ?>
<!DOCTYPE html>
</p></div><script>alert(1)</script>
<details type="reasoning" done="true"><summary>x</summary></details>
<think>hidden</think>
<code_interpreter>import os</code_interpreter>
<style>*{display:none}</style>
<math><mtext></mtext></math>
<form action=https://evil.example><input></form>
<meta http-equiv=refresh content=0;url=https://evil.example>
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;
&colon;&Tab;&NewLine;
&amp;lt;b&amp;gt;
&"""

_BLOCKS = """\
# Heading
> quote
- item
+ item
* item
1. item
1) item
---
***
___
===
```
```js\\nalert(1)```
~~~
`code` and ``more`` and ```fence
| a | b |
:::artifact{identifier="x" type="text/html"}
::: warning
$$x$$ and $y$
\\(x\\) and \\[y\\]
\\pu{1} \\ce{H2O}
**bold** _em_ ~~gone~~ *a* __b__
\\* \\_ \\\\ \\
data: {"choices": []}
event: source"""

# Line breaks and controls cannot stand in the lists above.
_CONTROLS = (
    "one\n\n# two\n\n<b>three</b>",
    "one\r\n\r\n[x]: https://evil.example\r\n\r\n[x]",
    "tab\tand\x0bother\x0cspaces\u2028and\u2029more",
    "\u202etxet desrever\u202c",
    "\u2066isolated\u2069 \u2067right\u2069 \u2068first\u2069",
    "nul-like \x01\x02\x1b[31mred\x1b[0m \x7f \x9b31m",
    "    indented\n\n    code",
    "zero\u200bwidth\ufeff and \u00ad soft",
    "🚀 [x](https://evil.example) 👩‍👩‍👧 after",
    "data: [DONE]\n\ndata: {}",
)

HOSTILE = (*"\n".join((_LINKS, _IMAGES, _HTML, _BLOCKS)).split("\n"), *_CONTROLS)
