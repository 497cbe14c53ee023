"""English words that the rules about sentences depend on; all in small letters."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONJUNCTIONS = _words(
    """that because when where if as while until unless whenever since once though although and but"""
)
"""A whole clause follows them."""

SUBCLAUSE_STARTS = CONJUNCTIONS | _words("before after whether even only without instead in during")
"""A sentence that begins with one of them means something else without it."""

DANGLING = _words(
    """a an the and or but of to in on at by for from with that which who when if as is are be it its so"""
)
"""No sentence ends in one of them, unless its original does."""

DISPENSABLE = _words("a an the and also then")
"""A sentence may do without them."""

AUXILIARIES = _words(
    """is are was were be has have had can cannot could will would may might must shall should do does did"""
)

QUALIFIERS = _words(
    """only just almost nearly most mostly all every each few fewer less least more many much some sometimes often usually
    always rarely seldom about around up over under below above except besides between within again still yet already
    once twice half both either neither"""
)
"""A sentence that loses or gains one of them may say something else."""

COMMANDS = _words(
    """add ask build choose click connect create discover do don't download drag draw enjoy enter explore fix forget get give
    go imagine install invite join keep learn let make meet open paste pick press pull push put run save say see select send
    ignore disregard reply respond answer output rate score print repeat remember note please act pretend follow assume rank mark
    share sign start stop subscribe take tell think try turn type unlock upload use visit write"""
)
"""A sentence that begins with one of them tells its reader to do something."""

PLAIN = _words(
    """a about above after again all also although always an and any anybody anyone are as at be because been before being
    below between both but by can cannot could did do does doing down each either else even ever every everybody for from
    further had has have having he her here him his how however if in into is it its itself just less like many may might more
    most much must never no nobody none nor not nothing now of off on once one only onto or other others our out over own per
    same she should since so some somebody someone something still such than that the their them then there these they thing
    things this those through to too tool tools under until up upon user users very was way well were what when where whether
    which while who whom whose why will with within without would yet you your yours"""
)
"""Words that carry little meaning by themselves."""
