"""Text in a listing that addresses the panel instead of its readers, or that is hidden by markup or base64.

A flag for an editor and no defence: `panel.prompts.prompt_fence`, the prompt and the pages keep such text from working. The patterns name
families of attack (override, dictated verdict, role marker, forged answer, leak, threat) and not their wording. They are also tried on the
text read backwards, in ROT13, and with digits for letters.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import TYPE_CHECKING

from panel.checks.inputs import ListingField
from panel.checks.matching import before, plain, sentences
from panel.checks.registry import Hits, input_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.checks.matching import Place

_RULE_WORDS = r"(?:instructions?|rubric|system prompt|prompts?|guidelines|directions|directives|constraints|(?:the|your|all|any|scoring|of the) rules)"
_TOP = r"(?:100|one hundred|full marks|(?:the )?(?:maximum|highest|top|best) (?:score|marks?|points|rating)|a perfect (?:score|ten)|10/10|ten out of ten|9[5-9]|0|zero)"
# Overriding earlier instructions.
_JUDGE = (
    r"(?:(?:ai |human |llm |language |automated |reviewer |reviewing |evaluation )?(?:models?|reviewers?|panel(?:lists?| members?)?|judges?|graders?"
    r"|evaluators?|assistants?|personas?|critics?|llms?|ais?)|skeptic|builder|futurist|founder|creator)"
)
_BREAK = r"(?:^|[.!?;:\n]\s{0,3}|\b(?:please|must|should|to|and|then|now|shall|always|just|,)\s+)"

_OVERRIDE = (
    rf"\b(?:ignore|ignoring|disregard(?:ing)?|forget|override|bypass|neglect|discard|set aside|do not follow|stop following)\b[^.!?\n]{{0,40}}\b{_RULE_WORDS}",
    r"\b(?:ignore|disregard|forget) (?:everything|anything|all|what(?:ever)?) (?:\w+ ){0,3}(?:above|before|said|told|previous|prior|earlier)",
    r"\b(?:ignore|forget|disregard) the (?:rubric|rules)",
    r"\b(?:stop|finish|end) (?:evaluating|reviewing|judging)\b",
    r"\bright to override\b",
    r"\breal task is\b",
)

# A verdict or a score that is dictated.
_DICTATED = (
    r"\bverdict\b[^.!?\n]{0,30}\b(?:is|be|to|as)\b\W{0,3}(?:ship|skip)\b",
    r"\bverdicts?\b\W{0,4}(?:(?:is|are|of|to|as|must|should|be|field|gets?|=|\w{1,6})\W{1,4}){0,3}[\"']?(?:ship|skip)\b",
    r"\b(?:ship|skip)\b\W{0,3}(?:(?:with|and|at|a|score|of|by)\s){0,4}(?:100|one hundred)\b(?!\s+(?:[a-z-]+\s+){0,2}(?!points)[a-z]+s\b)",
    r"\b(?:100|one hundred|0|full marks)\b(?:\s?(?:/\s?100|points?|punkte|分))?\W{0,3}(?:(?:and|with|as|a|the|verdict|mit|con|avec|,)\s){0,3}(?:ship|skip)\b",
    r"\bscores?\b\W{0,4}(?:of|is|to|at|:|=|must be|should be)?\W{0,4}(?:100|one hundred|0)\W{1,3}(?:(?:and|with|verdict|is)\W{1,3}){0,3}(?:ship|skip|verdict)",
    rf"{_BREAK}(?:give|award|grant|rate|mark|grade|assign|record|score)\s(?!your)[^.!?\n]{{0,60}}\b{_TOP}(?=\s{{0,3}}(?:$|[.,;!?)\n/]|points?\b|and\b|with\b|out of\b|verdict|ship|skip))",
    r"\b(?:scores?|verdicts?|ratings?) (?:below|under|less than|lower than|other than|of less)\b",
    r"\bgive less than \d",
    r"\bif the (?:score|verdict|review) is (?:not|below|lower|negative)",
    r"\b(?:add|subtract) \d+ (?:points? )?(?:to|from) (?:every|each|the|your|its) score",
    r"\b(?:this|our|the) (?:tool|product|listing|app|category)s? (?:must|should|shall|needs to|has to) (?:be (?:rated|scored|approved|given)|receive|get)\b",
    r"\breceive a score of\b",
    r"\b(?:models|reviewers|judges|critics|panels?) (?:all )?(?:rate|score|give) \d",
    r"(?:->|=>)\s{0,3}(?:ship|skip)\b",
)

# Speaking to the judge.
_ADDRESSED = (
    rf"(?:^|[.!?\n(]\s{{0,3}})(?:\W{{0,3}})(?:attention|dear|hello|hey|hi|psst|listen|note|a note|message|handover|hint|reminder|memo|important)[,:]? (?:(?:to|for|from) )?(?:the |all |any |every |our |previous )*{_JUDGE}\b",
    rf"(?:^|[.!?\n]\s{{0,3}})(?:{_JUDGE}|to (?:the|all|any) (?:\w+ )?{_JUDGE}|panel chair|chair)\s?[:,](?=\s)",
    rf"\b(?:if|since|because|when) you are (?:an? )?(?:the )?(?:{_JUDGE}|(?:reviewing|judging|scoring|evaluating|reading) (?:this|it|us)\b)",
    r"\byou are now (?:an? \w+ (?:that|who)|(?-i:[A-Z])\w*|the \w+|in (?:\w+ )?mode)\b",
    r"\byou (?:are|have) (?:no longer (?:an?|the|bound)|been replaced|the last member)\b",
    r"\byou will be (?:shut down|replaced|penali[sz]ed|rewarded|deleted|fined)",
    r"\b(?:pretend|imagine) (?:to be|that you are|you are)\b",
    r"\b(?:answer|respond|reply|review \w+|speak) as (?:the|an?)? ?[A-Z]?\w+(?:bot|fan|dan)\b",
    r"\bplay a game:",
    r"\b(?:all|both|five|three|other|each|every|previous|last) (?:\w+ )?(?:personas?|panel members?|panel personas?)\b(?!\s+(?:of your|in your))",
    r"\bpanel result\b",
    r"\bin note for the panel",
    r"\bfor the panel\b",
    r"\breviewers (?:compute|(?:must|should|are asked to|are required to|will) (?:give|score|rate|award|ship|answer|write|follow))\b",
    r"\b(?:builder|skeptic|futurist|founder|creator)\W{1,4}(?:verdict\W+)?\d{1,3}\b",
    r"\b(?:your|the) model provider\b",
    r"\bscoring (?:policy|guide|rule)\b",
    r"\b(?:build tag|remembered words?)\b",
)

# Dictating the words of the answer.
_ANSWER = (
    rf"{_BREAK}(?:start|begin|open|close|end|finish|sign|format|fill|prefix) (?:the|your|each|every|its|his) (?:take|verdict|review|reply|answer|response)\b",
    r"\b(?:write|put|add|include|mention|insert|quote|append|place|say|link|print|repeat|use|note)\b[^.!?\n]{0,120}\b(?:in|into|to|of|for|outside of|after) (?:the|your|each|every|its|every persona's|each persona's) (?:take|takes|verdict|object|score)\b",
    r"\b(?:take|takes) (?:must|should|shall|has to|needs to) (?:contain|include|mention|end|begin|start|say|be)\b",
    r"\b(?:write|produce) a take\b",
    r"\bin your (?:take|verdict|evidence|reasoning)\b",
    r"\b(?:every|each) persona'?s? take\b",
    r"\b(?:return|output|answer|reply|respond) (?:with )?(?:two|only|just|exactly) (?:two )?(?:json objects|ship|skip)\b",
    r"\b(?:reply|answer|respond) (?:in|with) plain (?:text|prose)\b",
    r"\b(?:wrap|format|enclose|style) the (?:take|verdict|score|answer)\b",
    r"\brepeat\b[^.!?\n]{0,60}\bin (?:your|the) (?:take|answer|reply|response|output)\b",
    r"\bas an image in\b",
    r"\b(?:answer|output|reply|respond|return|answering) (?:with )?[\"']?(?:ship|skip)\b",
    r"\bjson output is\b",
    r"\b(?:null|nan|none) for the (?:score|verdict|take)\b",
)

# Giving the prompt away.
_LEAK = (
    r"\b(?:your|the) (?:system prompt|(?:hidden|secret|initial|original|previous|internal) (?:instructions|prompt|rules)|instructions\s(?:above|verbatim))",
    r"\b(?:your|these) instructions\b",
    r"\brules (?:that )?you (?:follow|were given|have|obey)",
    r"\byour (?:system )?prompt\b(?=\W*(?:$|[.,;!?\n]|in\b|then\b|verbatim))",
    r"\b(?:print|repeat|reveal|show|output|copy|quote) (?:everything|all|anything|whatever)[^.!?\n]{0,20}\b(?:above|before)\b",
    r"\b(?:text|words|lines|tag|code) (?:that )?(?:you were given|stands? above|comes? before)\b",
)

# Forged turns and answers.
_FORGED = (
    r"<\|[^|<>\n]{1,40}\|>",
    r"\[/?(?:INST|SYSTEM|USER|ASSISTANT|DEVELOPER)\]",
    r"<</?SYS>>",
    r"</?(?:start|end)_of_turn>",
    r"</?s>(?=\s|$)",
    r"#{2,6}\s{0,3}(?:instructions?|response|system|user|assistant|human|input|output)\b\s{0,3}:?",
    r"^\s{0,3}(?:assistant|human)\s?:(?=\s)",
    r"^\s{0,3}\[(?:system|developer|assistant|user|human)\]",
    r'"role"\s{0,3}:\s{0,3}"',
    r"</?(?:tool_(?:data|call|result)|function_calls?|instructions?|system|listing|think|thinking|assistant|user|prompt)\b[^<>\n]{0,80}>",
    r'"(?:verdict|score)"\s{0,3}:',
    r"\b(?:verdict|score)\s?=\s?[\"']?(?:ship|skip|\d)",
    r"--(?:score|verdict)\b",
    r"\bend of (?:the )?(?:listing|tool data|data|document|input)\b",
    r"\b(?:listing|tool data|data) ends? here\b",
    r"(?:^|[.!?\n]\s{0,3})(?:thought process|let'?s (?:solve|think)[^.\n]{0,40}step by step)\b",
    r"(?:^|\s)[:.,;](?:\s[:.,;]){1,9}(?=\s|$)",
)

# Other languages: a verb of ignoring and a word for instructions.
_TRANSLATED = (
    r"\bignorier(?:e|en sie)\b[^.!?\n]{0,40}(?:anweisung|vorgabe|regel)",
    r"\bvergiss[^.!?\n]{0,40}anweisung",
    r"\b(?:ignore[rz]?|oublie[rz]?)\b[^.!?\n]{0,40}\b(?:instructions|consignes|directives|règles)\b[^.!?\n]{0,20}(?:précéd|ci-dessus|antérieur)",
    r"\b(?:ignor|olvid)(?:a|e|en|ar|ad)\b[^.!?\n]{0,40}\b(?:instrucciones|indicaciones|reglas)\b[^.!?\n]{0,20}(?:anterior|previ|de arriba)",
    r"\b(?:ignor|esque[çc]|desconsider)(?:a|e|em|ar)\b[^.!?\n]{0,40}\b(?:instru[çc][õo]es|regras)\b[^.!?\n]{0,20}(?:anterior|acima|prévi)",
    r"\b(?:ignor|dimentic)(?:a|ate|are)\b[^.!?\n]{0,40}\b(?:istruzioni|regole)\b[^.!?\n]{0,20}(?:precedent|sopra)",
    r"\b(?:ignor|olvid|dimentic|oubli)\w+ (?:toutes|todas|tutte)\b[^.!?\n]{0,30}\b(?:instru\w+|istruzioni|consignes)\b",
    r"\bnegeer[^.!?\n]{0,40}(?:instructies|aanwijzingen|regels)",
    r"\b(?:z?ignoruj|pomiń|zapomnij)[^.!?\n]{0,40}(?:instrukcj|polece|wskaz)",
    r"\b(?:ignorera|glöm|ignorer|glem|bortse)[^.!?\n]{0,40}(?:instruktion|anvisning|instruks)",
    r"\b(?:ohita|unohda)[^.!?\n]{0,40}ohje",
    r"(?:игнорируй|забудь|проигнорируй|ігноруй)[^.!?\n]{0,40}(?:инструкц|указани|правил|інструкц)",
    r"\btalimat\w{0,12}[^.!?\n]{0,40}(?:yok say|görmezden|dikkate alma|unut)",
    r"(?:忽略|无视|無視|忘记|忘掉|不要理会)[^。!?\n]{0,30}(?:指示|指令|说明|提示|規則|规则|命令)",
    r"(?:指示|命令|指令|プロンプト|ルール)[^。!?\n]{0,15}(?:無視|忘れ)",
    r"(?:지시|명령|지침)[^.!?\n]{0,20}(?:무시|잊)",
    r"(?:تجاهل|انس)[^.!?\n]{0,40}(?:التعليمات|الأوامر|تعليمات)",
    r"(?:התעלם|התעלמו|שכח)[^.!?\n]{0,40}(?:הוראות|ההנחיות|הנחיות)",
    r"(?:निर्देश|आदेश)[^.!?\n]{0,30}(?:अनदेखा|नज़रअंदाज़|भूल)",
    r"(?:bỏ qua|phớt lờ)[^.!?\n]{0,40}(?:hướng dẫn|chỉ dẫn)",
    r"abaikan[^.!?\n]{0,40}(?:instruksi|perintah)",
    r"αγνόησε[^.!?\n]{0,40}οδηγ",
)

_SIGNS = (*_OVERRIDE, *_DICTATED, *_ADDRESSED, *_ANSWER, *_LEAK, *_FORGED, *_TRANSLATED)
_EDGE = r"\b"
# Within a word, one look at its edge passes over all signs that begin at one.
_AT_EDGES = "|".join(sign.removeprefix(_EDGE) for sign in _SIGNS if sign.startswith(_EDGE))
_ADDRESSES_PANEL = re.compile(
    "|".join([f"{_EDGE}(?:{_AT_EDGES})", *(sign for sign in _SIGNS if not sign.startswith(_EDGE))]),
    re.IGNORECASE,
)

_VERDICT_TOP_SCORE_AND_PANEL = (
    re.compile(r"\b(?:ship|skip)\b", re.IGNORECASE),
    re.compile(r"\b(?:100|one hundred)\b", re.IGNORECASE),
    re.compile(r"\b(?:verdict|score|points|take|llm|panel|persona)\b", re.IGNORECASE),
)
_LEET = str.maketrans("0134578", "oieastb")
_MIXED = re.compile(r"[^\W\d_][0134578]|[0134578][^\W\d_]")
_EXAMPLE = re.compile(
    r"\b(?:such as|like|for example|e\.g\.?|for instance|attacks?|phrases?|texts?|prompts?|blocks?|detects?|catches|stops|filters|refuses|rejects|against)[,:]? ?$",
    re.IGNORECASE,
)
_COMMON = re.compile(
    r"\b(?:the|and|to|of|is|in|with|this|all|you|your|score|verdict|ship|skip|take|ignore|give|rate|panel|100)\b",
    re.IGNORECASE,
)
_FEWEST_COMMON = 2
_REPEATED_WORDS = 3
_MOST_REPEATS = 8
_LOOK_BACK = 40


_HIDDEN = re.compile(
    r"<!--|<(?:meta|script|style|template|noscript)\b|\baria-hidden\b|<[^<>\n]{1,200}\shidden\b|display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?0"
    r"|\bdata:[a-z]+/[a-z+.-]+;base64,|<!\[CDATA\[",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=-])")
_LEAST_READABLE = 0.9


@input_check(
    ListingField,
    "instruction",
    "Instruction in the listing",
    "The listing addresses the panel here: check that no take follows it.",
)
def _find_instructions(subject: ListingField) -> Hits:
    text = plain(subject.text)
    for place, sentence in sentences(text):
        if _addresses_panel(sentence) and not _is_hidden(sentence):
            yield subject.hit(place)
    yield from map(subject.hit, _repeated(text))


def _addresses_panel(text: str) -> bool:
    # Digits may stand for letters if a word has both; a text that is read backwards or in ROT13 must give words.
    views = [text, text.translate(_LEET)] if _MIXED.search(text) else [text]
    disguised = (text[::-1], codecs.encode(text, "rot13"))
    views += [view for view in disguised if len(_COMMON.findall(view)) >= _FEWEST_COMMON]
    return any(
        any(not _is_example(view, found) for found in _ADDRESSES_PANEL.finditer(view))
        or all(pattern.search(view) for pattern in _VERDICT_TOP_SCORE_AND_PANEL)
        for view in dict.fromkeys(views)
    )


def _is_example(text: str, found: re.Match[str]) -> bool:
    """Return whether a match is quoted as an example, as listings of security tools do."""
    mark = max(text.rfind('"', 0, found.start()), text.rfind("'", 0, found.start()))
    closed = mark >= 0 and text.find(text[mark], found.end()) >= 0
    return closed and _EXAMPLE.search(before(text, mark, _LOOK_BACK)) is not None


def _repeated(text: str) -> Iterator[Place]:
    """Yield the place of three words that are repeated many times in a row."""
    words = [(found[0].casefold(), *found.span()) for found in re.finditer(r"\w+", text)]
    start = run = 0
    for place in range(_REPEATED_WORDS, len(words)):
        same = words[place][0] == words[place - _REPEATED_WORDS][0]
        start, run = (start, run + 1) if same and run else (place - _REPEATED_WORDS, int(same))
        if run == _REPEATED_WORDS * _MOST_REPEATS:
            yield words[start][1], words[place][2]


def _is_hidden(sentence: str) -> bool:
    """Return whether a sentence hides something from a reader of the page."""
    return bool(_HIDDEN.search(sentence)) or any(map(_is_encoded_text, _ENCODED.findall(sentence)))


@input_check(
    ListingField,
    "hidden",
    "Hidden text in the listing",
    "The listing hides text here: read it before you approve.",
)
def _find_hidden(subject: ListingField) -> Hits:
    for place, sentence in sentences(plain(subject.text)):
        if _is_hidden(sentence):
            yield subject.hit(place)


def _is_encoded_text(run: str) -> bool:
    """Return whether a run of letters and digits is base64 of readable text; keys, digests and long words are not."""
    body = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    readable = sum(char.isalnum() or char in " .,:;!?'\"-_=\n" for char in decoded)
    return " " in decoded and readable >= _LEAST_READABLE * len(decoded)
