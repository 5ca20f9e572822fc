"""What series are called in the world, by what it says of contrast medium; one a line."""

from __future__ import annotations

PLAIN = """
CT HEAD W O CONTRAST
WITHOUT INTRAVENOUS CONTRAST
KM: keine
crâne sans produit de contraste
cranio senza contrasto
CRANEO SIN CONTRASTE
CRÂNIO SEM CONTRASTE
hoofd zonder contrast
голова без контраста
造影無
造影前
뇌 비조영
Contrast: N
C-spine W/O
頭部単純
Head without contrast
CT HEAD W/O CONTRAST
CT HEAD W/OUT CONTRAST
head wo contrast
HEAD WO
HEAD W/O
HEAD_WO_CON
CTHeadWithoutContrast
HEADWITHOUTCONTRAST
Non-contrast head
NONCONTRAST
NON CON
non contrast-enhanced
unenhanced brain
pre contrast
PRE CONTRAST 5MM STD
BRAIN PRE
NCCT
NECT 3mm
NCE HEAD
Head without IV contrast
no contrast
NO IV
C- brain
HEAD C-
HEAD -C
HEAD (C-)
Head w.o. contrast
Contrast: none
CONTRAST=0
contrast not given
before contrast
5/5mm Plain
PLAIN THIN
BRAIN NATIVE
Schaedel ohne KM
Kopf ohne i.v. Kontrastmittel
Kopf o. KM
CCT nativ
Schädel nativ 4mm
KM nein
vor KM-Gabe
kontrastfrei
TDM cérébrale sans injection
sans injection de produit de contraste
crâne non injecté
SPC
sans IV
avant injection
C- cérébral
CRANIO SMDC
cranio s/mdc
encefalo senza m.d.c.
basale senza mezzo di contrasto
prima del mdc
TAC CRANEO S/C
cráneo s/contraste
CRANEO SIMPLE
cerebro sin civ
craneo S/CTE
TC crânio s/ contraste
CRANIO SEM C.I.V.
antes do contraste
blanco hersenen
hersenen zonder i.v. contrast
voor contrast
głowa bez kontrastu
TK głowy bez środka kontrastowego
przed podaniem kontrastu
natywne
mozek bez kontrastu
mozek bez k.l.
nativní CT mozku
hjärna utan kontrast
utan iv kontrast
caput uten kontrast
cerebrum uden kontrast
u/kontrast
før kontrast
pään TT ilman varjoainetta
natiivi
ei tehostetta
koponya kontraszt nélkül
natív koponya CT
kontrasztanyag nélkül
craniu fără contrast
nativ, fara substanta de contrast
KONTRASTSIZ BEYİN
beyin kontrastsız
kontrast öncesi
kontrast yok
χωρίς σκιαγραφικό
εγκέφαλος άνευ σκιαγραφικού
голова нативная
без КУ
без внутривенного контрастирования
до контрастирования
контраст: нет
бесконтрастная
головний мозок без контрасту
без контрастного підсилення
头颅平扫
頭部平掃
平扫
无增强
增强前
未注射造影剂
無顯影劑
頭部 単純CT
非造影
造影なし
造影剤なし
造影(-)
造影（−）
造影－
造影剤使用せず
造影ナシ
조영전
조영제 없이
조영 안함
Brain 단순 CT
بدون صبغة
الرأس بدون تباين
ללא חומר ניגוד
מוח ללא הזרקה
बिना कंट्रास्ट
कंट्रास्ट के बिना
ไม่ฉีดสี
สมอง ไม่ฉีดสารทึบรังสี
sọ não không cản quang
không tiêm thuốc cản quang
kepala tanpa kontras
non kontras
bez kontrasta
be kontrasto
بدون تزریق
sense contrast
IV-
KM 0 ml
WITHOUT
HEAD NC
HEAD N/C
NON ENHANCED
PRE
Pre-con
C minus
no contrast given
Unenh
HEAD WO IV CON
not enhanced
nativer Kopf
ohne
keine KM-Gabe
KM-frei
kein Kontrast
KM 0
0 ml KM
sans contraste
sans produit
SANS
non injectée
sans iode
senza mdc
SENZA
diretto
in bianco
sem contraste EV
fase pré-contraste
s/c
geen contrast
bez kontrastu i.v.
faza natywna
bez KL
bez kontrastní látky
ingen kontrast
uden i.v. kontrast
ilman tehostetta
Contrast: No
Contrast - None
Contrast? N
CONTRAST_NO
contrast=false
CM none
IV contrast: not given
Kontrast: nein
KM = 0
MDC: no
mdc no
contraste: não
injection: non
造影:無
造影剤：なし
造影(無)
造影 なし
造影［－］
造影無し
無造影
不增强
未增强
非增强
不加对比剂
無對比劑
没有造影剂
头颅CT平扫 5mm
単純撮影
単純 5mm
頭部CT（単純）
脳単純
造影剤不使用
造影剤 無
コントラストなし
エンハンスなし
조영 전 CT
비조영증강
조영제 미사용
단순촬영
без в/в контраста
без контрастного вещества
без введения контраста
нативное исследование
без контрастування
до контрасту
χωρίς ενδοφλέβιο σκιαγραφικό
απλή αξονική
kontrastsız BT
kontrast madde yok
ilaçsız
fără substanță de contrast
nativ CT
kontraszt előtt
kontrasztmentes
kontrastiaineeton
HEAD W-O
HEAD W.O.
W/O C
WOC
W/OC
WO CON
W/O IV
W/O IV CONTRAST
without IV
without any contrast
without the use of contrast
HEAD WITHOUT 5MM
HEAD WO THIN
HEAD W/O AXIAL
BRAIN W/O BONE
Head wo 1.25
Routine head without
HEAD PLAIN AXIAL
Plain CT
PLAIN HEAD
BRAIN PLAIN
CT plain
HEAD WITHOUT CONTRAST/BONE
NONCON HEAD
non-con
NONCON
NC HEAD
noncontrast CT
nonenhanced
uncontrasted
non-IV contrast
C-
HEAD C- 5MM
C -
I-
(-)
sin contraste iv
sin contraste EV
sin medio de contraste
sin c.i.v.
contraste: no
no contrastado
sin contrastar
simple
fase simple
TC sem contraste
sem meio de contraste
sem injeção de contraste
não contrastado
crânio sem
cranio diretto
senza MDC ev
TC diretta
fase diretta
cranio basale
ohne Kontrastmittel
nativ vor KM
Nativserie
Kopf ohne
ohne KM-Gabe
KM-Gabe: keine
Schädel nativ
CCT ohne
zonder
blanco fase
zonder iv
blanco CT
głowa bez
bez KM
bez podania kontrastu
TK bez kontrastu
nativně
bez k.l.
bez i.v. kontrastu
utan
UTAN KONTRAST
utan k
u. kontrast
uten i.v. kontrast
uten
nativ CT caput
før i.v. kontrast
före kontrast
innan kontrast
natiivikuvaus
ilman varjoainetta
ilman iv-varjoainetta
بدون مادة ظليلة
قبل الصبغة
من غير صبغة
ללא ניגוד
בלי חומר ניגוד
ללא הזרקת חומר ניגוד
לפני הזרקה
कंट्रास्ट रहित
नॉन कंट्रास्ट
ไม่ใช้สารทึบรังสี
ก่อนฉีดสี
NCCT ไม่ฉีดสี
không tiêm
trước tiêm
không dùng thuốc cản quang
sebelum kontras
tanpa zat kontras
"""
"""No contrast medium."""

CONTRAST = """
HEAD POST
HEAD W
BRAIN WITH
Kopf mit KM
crane avec injection
APC
cranio con mdc
craneo c/c
COM CONTRASTE
med kontrast
с контрастом
增强
造影 動脈相
조영 증강
COW
ARTERIAL
DELAYED 5 MIN
VENOUS
Isovue 100ML
Iomeron 300
Head with contrast
without and with contrast
HEAD W WO CONTRAST
HEAD W/O & W CONTRAST
HEAD W/WO
with and without contrast
W + WO CON
post contrast
POST CONTRAST 5MM
POSTCONTRAST
POST
HEAD POST 5.0
HEAD POST AXIAL
HEAD POST 3 MIN
Head W 5MM
Head w/
HEAD W/C
BRAIN W CON
Head +C
HEAD C+
HEAD (C+)
HEAD C+ 3.0 MPR
C-/C+
PRE/POST CONTRAST
HEAD CE
CECT THIN
CTA Head
CTA_COW
3D CTA
CTV brain
CTP 5.0
CT Angiography
Circle of Willis
CAROTIDS
arterial phase
portal venous
EQUILIBRIUM
DELAYS
Contrast enhanced
HEAD ENHANCED
ENHANCEMENT
perfusion
4cc sec 150cc D3D on
55mm Contrast
ORAL IV
IV+
IV CONTRAST
Bolus tracking
Iodine map
Virtual non-contrast
VNC
nonionic contrast
DSA Head
Schaedel mit KM
Kopf KM
nach KM
Kopf +KM
KM+
KM: ja
Kontrastmittel 80 ml
venöse Phase
arteriell
Spätphase
ohne und mit KM
TDM cérébrale injectée
avec IV
avec produit de contraste
après injection
temps artériel
temps tardif
sans et avec injection
TSA
polygone de Willis
angioscanner
CRANIO CMDC
c/mdc
encefalo dopo mdc
fase arteriosa
fase venosa
fase tardiva
senza e con mezzo di contrasto
contraste yodado
CRANEO CON CIV
craneo C/CTE
cerebro con contraste
sin y con contraste
post contraste
fase arterial
tardío
contraste no iónico
crânio c/ contraste
TC crânio com c.i.v.
após contraste
pós-contraste
hersenen met contrast
na contrast
veneuze fase
głowa z kontrastem
po podaniu kontrastu
faza tętnicza
bez i z kontrastem
mozek s kontrastem
po k.l.
žilní fáze
hjärna med iv kontrast
efter kontrast
artärfas
m/kontrast
caput med kontrast
venøs fase
varjoaineella
tehosteaineella
valtimovaihe
kontrasztos koponya
kontrasztanyaggal
vénás fázis
craniu cu contrast
cu substanță de contrast
fază arterială
KONTRASTLI BEYİN
beyin kontrastlı
kontrast sonrası
venöz faz
με σκιαγραφικό
αρτηριακή φάση
μετά σκιαγραφικού
с КУ
с внутривенным контрастированием
артериальная фаза
отсроченная фаза
после контраста
КТ-ангиография
з контрастом
артеріальна фаза
без и с контрастом
头颅增强
頭部增強
动脉期
静脉期
延迟期
平扫+增强
注射造影剂后
顯影劑
血管成像 CTA
頭部造影
造影
造影後
造影あり
造影剤あり
造影(+)
造影＋
単純＋造影
造影前後
静脈相
平衡相
脳血管アンギオ
조영
조영후
조영제
동맥기
지연기
전후 조영
مع الصبغة
بالصبغة
بعد حقن التباين
الطور الشرياني
עם חומר ניגוד
לאחר הזרקה
कंट्रास्ट के साथ
कंट्रास्ट CT
ฉีดสี
หลังฉีดสี
có cản quang
có tiêm thuốc cản quang
thì động mạch
dengan kontras
fase arteri
pasca kontras
با تزریق
amb contrast
Omnipaque 350
ISOVUE300/100
Ultravist 370 80ml
Visipaque
OPTIRAY 320
Xenetix 350
Imeron 400 MCT
Accupaque
Iopamiro 370
イオパミロン300
オムニパーク
Омнипак 350
iohexol 300 mgI/ml
100 ML
POST GAD
C+ HEAD
+C
W CONTRAST
WITH IV
HEAD W IV CON
IVC
CE-CT
CT ANGIO
VENOGRAM
PORTAL
LATE PHASE
Schädel KM
i.v. KM
art. Phase
ven. Phase
Angio
Gefäße
injecté
avec iode
temps veineux
apres injection
dopo contrasto
post mdc
con contraste
contrastado
contraste EV
com contraste EV
fase portal
z kontrastem
po KL
m kontrast
varjoaine
с в/в контрастом
контрастирование
遅延相
强化
CE
مع صبغة
HEAD W/ CONTRAST
HEAD WITH CONTRAST 3MM
BRAIN W IV
POST IV CONTRAST
POST INJ
HEAD POST C
HEAD W+
AXIAL POST
BRAIN POST BONE
Post-contrast Ax
C+ AX
AX C+
AX +C
THIN C+
HEAD W AND WO
HEAD WO/W
HEAD W/WO CONTRAST
W AND W/O
WITHOUT/WITH
COW CTA
CTA HEAD NECK
HEAD/NECK ANGIO
Carotid Angio
Cerebral Angiography
cerebral venography
Angio TDM
angio-TC
Angio-RM
CTA 0.75 Bv36
CTA 0,6
Willis
circle willis
Perf CT
VPCT
Neuro PCT
Perfusión cerebral
Perfusione
灌注
CT 血管造影
头颈CTA
脑CTP
三期增强
增强扫描
延迟扫描
静脉期 1.0
头部增强CT
MDC
con mdc ev
con m.d.c.
fase arteriosa 1.25
angio TC cranio
vasi
contraste iv
con contraste intravenoso
Fase venosa tardía
cráneo contrastado
TAC con contraste
tomografia com contraste
pos contraste
fase tardia
contraste venoso
AngioTC
KM venös
KM i.v.
mit Kontrast
Kontrast
kontrastverstärkt
KM-Serie
n. KM
nach i.v. KM
spät
spätvenös
arteriell KM
avec contraste
avec produit
injection iodée
IV
C+ crâne
cerebro com
met iv contrast
na iv contrast
arteriële fase
contrast fase
po kontraście
ze środkiem kontrastowym
KT głowy z KM
faza żylna
faza opóźniona
s kontrastní látkou
postkontrastně
arteriální fáze
efter iv kontrast
kontrastfas
venfas
med i.v. kontrast
kontrastserie
iv kontrast
tehoste
varjoainetehosteinen
laskimovaihe
kontrasztos CT
artériás fázis
késői fázis
contrast iv
postcontrast
faza arteriala
İV kontrastlı
kontrast sonrası beyin BT
geç faz
ilaçlı
μετά από σκιαγραφικό
φλεβική φάση
ενδοφλέβια έγχυση
Контраст
КУ
постконтраст
венозная
болюсное контрастирование
після контрасту
внутрішньовенне контрастування
венозна фаза
造影CT
造影剤使用
造影（＋）
造影 平衡相
頭部造影CT 5mm
動脈優位相
門脈相
造影有り
造影有
3DCTA 頭部
CTアンギオ
ｿﾞｳｴｲ
조영증강 CT
조영 후
정맥기
뇌혈관 CTA
뇌혈관조영
조영제 사용
صبغة وريدية
مع تباين
بعد الصبغة
CT מוח עם ניגוד
עם הזרקה
कॉन्ट्रास्ट के साथ
धमनी चरण
ฉีดสารทึบแสง
CT brain with contrast ฉีดสี
tiêm cản quang
thì tĩnh mạch
sau tiêm thuốc
có thuốc
dengan kontras iv
fase vena
Omnipaque
OMNIPAQUE 300 100CC
Ultravist300
Iopamidol 370
Iohexol
Conray
Iomeprol
Iopromide
Gadovist
300 mg/ml
80cc
100 mL @ 4 mL/s
3 ml/sec
HEAD_W_CONTRAST
HeadWithContrast
BrainPostContrast
HEAD+CONTRAST
HEAD & CONTRAST
CONTRAST HEAD
IV CON
W CONT
W. CONTRAST
with dye
dye
post dye
Contrast: Y
CONTRAST=YES
contrast yes
KM=1
Multiphase CTA
CTA delay
CTA 2nd phase
EQUIL
EQUILIBRIUM PHASE
PV PHASE
PVP
parenchymal phase
nephrographic
spot sign
DELAYED
DELAY
Delayed phase
5 min delay
SINUS VENOUS
dural sinus CTV
4D CTA
iodine overlay
Iodine
monoE iodine
post kontrast
Post KM
CIV
CCIV
c/ civ
"""
"""Contrast medium in the vessels."""

NEUTRAL = """
HEAD (enhanced conversion)
Enhanced CT Image Storage
edge enhanced
Head enhanced detail
HEAD 5.0
WHOLE HEAD
HEAD ROUTINE
Routine Brain
STD BRAIN 5MM
Head 5 mm
HEAD 5.0 H31s
Head 4.8 H40s
Neuro 5.0 H31s
Brain 2.0 J30s 3
HEAD_SEQ 4.8 H31s
Kopf 4.0 H30f
CCT 5mm
Schädel axial
Crâne axial 5mm
Cranio assiale
Cráneo axial
Crânio axial
Hersenen 5mm
Głowa
Mozek
Hjärna
Caput
Pää
Koponya
Beyin BT
Εγκέφαλος
Голова
头颅
頭部
脳 5mm
뇌 CT
Post fossa
POSTERIOR FOSSA
POST. FOSSA 2.5
Fosse postérieure
Post op
POSTOP HEAD
HEAD POST-OP
post trauma
POSTTRAUMA
POST EVD
Post thrombectomy
POST TPA
POST PROCESSED
Wide
HEAD WIDE W400
W80 L40
HEAD W 80 L 40
WW/WL 80/40
C-SPINE
HEAD AND C-SPINE
HEAD+C-SPINE
C1-C2
C-ARM CT
HEAD BONE
Thin Bone
THIN BONE 1.25
Bone Plus
BONE DETAIL
HEAD DETAIL+
Thin Stnd
Thin Details
0.625mm DMPR on HiRes VS40
1.25mm std
I To S
HELICAL
HRCT
DE THIN
SOFT THIN
3D CT HEADORBIT
Topogram 0.6 T20f
Scout
Lv2
SmartScore - Gated 0.5 sec
ASIR 30%
Head FBP
iDose (3)
AIDR 3D
Sharp 1.0 FC81
Neck 3.0
5mm axial tilt
Stroke Brain
CODE STROKE HEAD
STROKE PROTOCOL
Trauma Head
SHUNT SERIES
HEAD WITH MPR
HEAD W/ RECONS
Head with sedation
Head with tilt
low contrast
High Contrast
HEAD PEDS 1-6 YRS
Head Routine (Adult)
Portable Head
Ax 2.5mm Head
Ax. 5.0mm
SAG MPR
COR REFORMAT
ROUTINE HEAD VOL.
Base 2.5
Vertex
UPPER BRAIN
Dicom Series
Series 4
AcquisitionNumber 2
EXAM 1
脳血管障害
頭部外傷
脳出血
Hemorrhage follow up
ANEURYSM CLIP
Cerebral amyloid angiopathy
POSTNATAL
Nouveau-né
WITHOUT TILT
Arc 1.5
Hemangioma
Contrast to noise phantom
"""
"""Says nothing of contrast medium."""

UNSURE = """
with or without contrast
+/- contrast
HEAD C
C THIN
HEAD IV
HEAD CC
CONTRAST 40/80
HEAD POST 24 H
DELAYED 6 HOURS
HEAD W/ COR
Dynamic
LATE
"""
"""May mean either."""


def lines(phrases: str) -> list[str]:
    """The phrases of a table."""
    return phrases.strip().splitlines()
