"""Series descriptions of the world, with and without contrast medium."""

PAIRS = (
    ("CRANIO SENZA CONTRASTO", "CRANIO CON MDC"),
    ("KOPF NATIV", "KOPF MIT KM"),
    ("CRANE SANS INJECTION", "CRANE AVEC INJECTION"),
    ("CRANEO SIMPLE", "CRANEO CON CONTRASTE"),
    ("頭部単純", "頭部造影"),
    ("HEAD W/O", "HEAD W"),
)
"""A plain series and the one with contrast medium of the same study."""

CONTRAST = """
HEAD WITH CONTRAST|BRAIN POST CONTRAST|CT HEAD W|HEAD C+|CE HEAD|HEAD ENHANCED|CTA HEAD
CT ANGIO BRAIN|CAROTIDS ARTERIAL|VENOUS PHASE|DELAYED 3 MIN|Kopf KM|Schädel mit Kontrastmittel
nach KM|crâne injecté|cérébral avec injection|cranio con mdc|encefalo dopo mdc
craneo con contraste|craneo c/c|crânio com contraste|hoofd met contrast|med kontrast
s kontrastem|с контрастом|с в/в контрастированием|头颅增强|增强扫描|頭部造影|造影後|造影 動脈相
造影CT 静脈相|조영 증강|조영 후|Omnipaque 300|Iopamiron 370
"""
PLAIN = """
HEAD WITHOUT CONTRAST|CT HEAD W/O|HEAD WO CONTRAST|NON CONTRAST HEAD|NONCONTRAST|NCCT|HEAD C-
HEAD PLAIN|UNENHANCED|HEAD 5.0 H31s|Kopf nativ|Schädel ohne KM|ohne Kontrastmittel
crâne sans injection|cérébral sans produit de contraste|cranio senza mdc
encefalo senza contrasto|craneo sin contraste|craneo s/c|crânio sem contraste
hoofd zonder contrast|blanco hoofd|utan kontrast|bez kontrastu|без контраста
без контрастирования|头颅平扫|平扫|頭部単純|単純CT|造影なし|造影前|비조영|조영 전
HEAD (enhanced conversion)|Contrast: none
"""


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a list."""
    return tuple(phrase for line in text.split("\n") for phrase in line.split("|") if phrase)
