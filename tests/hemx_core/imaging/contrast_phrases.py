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
HEAD WITHOUT IV
NO CM
C (-)
0 CONTRAST
KEIN KM
OHNE KONTRAST
KM ohne
PHASE NATIVE
SS CONTRASTE
SS IV
SS PDC
SANS CONTRASTE
SENZA M.D.C.
S.C.
SIN CTE
NATIVO
BEZ KONTRASTU
UTAN KM
UTEN KM
U/K
NATÍV
FARA SUBSTANTA DE CONTRAST
ΧΩΡΙΣ
БЕЗ
НАТИВ
普通扫描
非增強
造影剤投与前
造影剤未投与
조영제 미투여
조영 X
PRECONTRAST
UNENHANCED
NON-ENHANCED
NON CE
NONCE
w/o dye
No dye
HEAD W/O DYE
Unenhanced head
Head unenh
CT head non contrast
CT HEAD NON-CON
CTHEAD WO
HEAD/WO
BRAIN WO CONTRAST
BRAIN W/O CON
Head without contrast material
without contrast medium
w/o contrast 5mm
WO CONTRAST THIN BONE
NONCONTRAST HEAD CT
NON CONTRAST BRAIN
non-contrast enhanced
No IV contrast given
IV contrast: none
Contrast: 0
Contrast - no
CONTRAST: NEGATIVE
contrast none
Kontrast: keins
Kontrast: ohne
KM - keine
KM: nein
KM: nicht gegeben
KM nicht verabreicht
Kontrastmittel: keine
CT Schädel ohne KM
Schädel ohne Kontrastmittel
nativ ohne KM
Schädel-CT nativ
Hirn nativ
CT Hirn ohne
crâne sans injection
crane sans
scanner cérébral sans injection
TDM cérébrale non injectée
sans pdc
s/ injection
PDC: non
injection: aucune
TC encefalo senza mdc
encefalo diretta
cranio senza
mdc: nessuno
TAC craneal sin contraste
TC craneal sin cte
craneo s/ cte
craneo sin
contraste: ninguno
TC crânio sem
TC de crânio sem contraste
contraste: nenhum
contraste: nao
CT hersenen blanco
CT hoofd zonder contrast
contrast: geen
contrast: nee
TK głowy bez kontrastu
głowa bez k.
kontrast: brak
kontrast: nie
CT mozku bez kontrastu
CT mozku nativně
kontrast: ne
DT hjärna utan kontrast
CT hjärna utan iv kontrast
kontrast: nej
CT caput uten kontrast
CT cerebrum uden kontrast
kontrast: nei
pää natiivi
aivot ilman varjoainetta
agy natív
agykoponya CT kontraszt nélkül
CT cerebral nativ
CT cranian fără contrast
fara contrast
kontrast: yok
beyin BT kontrastsız
CT εγκεφάλου χωρίς σκιαγραφικό
КТ головного мозга без контраста
КТ голови без контрасту
без контрастного усиления
контраст не вводился
контраст: не введен
脑平扫
头部CT平扫
颅脑平扫 5mm
无造影
未用造影剂
对比剂：无
頭部CT単純
脳CT 単純
頭部単純CT 5mm
造影：無
造影：なし
造影 無し
造影剤：無
造影剤無し
非造影CT
뇌 CT 비조영
조영: 없음
조영제: 없음
뇌 단순CT
조영증강 전
CT رأس بدون صبغة
CT מוח ללא חומר ניגוד
सीटी ब्रेन बिना कंट्रास्ट
CT สมอง ไม่ฉีดสารทึบรังสี
CT sọ não không tiêm thuốc cản quang
CT kepala tanpa kontras
Pre
PRE CONTRAST
pre-contrast
PRE-IV
before injection
Before IV contrast
Plain brain
PLAIN AXIAL 5MM
Non infused
uninfused
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
HEAD WITH & WITHOUT
POST-CONTRAST
C +
W/CONT
IV CONT
+ CONTRAST
CONTRAST+
WITH CM
i.v. contrast
Kontrast +
KM i. v.
K+
Schädel-CT mit KM
Schädel nach KM-Gabe
KM Phase
arterielle Phase
Angiographie
Avec Inj.
Temps art
Temps portal
Con contrasto
Dopo MdC
ART
VEN
TARDIVA
C/CONTRASTE
CON CTE
c/CIV
TARDIO
POS CONTRASTE
MET CONTRAST
Z KONTRASTEM
Z ŚRODKIEM KONTRASTOWYM
MED KM
IV-KONTRAST
VARJOAINE+
KONTRASZT
CU SUBSTANTA DE CONTRAST
KONTRASTLI
ΜΕ ΣΚΙΑΓΡΑΦΙΚΟ
С КОНТРАСТНЫМ УСИЛЕНИЕМ
АРТЕРИАЛЬНАЯ
强化扫描
動脈期
延遲期
造影後 遅延相
CE+
조영제 주입 후
지연
بالتباين
DYE GIVEN
ISOVUE-370
OMNI 350
Head-Neck CTA 0.6
HEAD CTA 1.0
AngioCT
Angio-CT
cta brain
Brain CTA
BRAIN CTP
CTP 10mm
CE HEAD
CE BRAIN 5mm
Brain enhanced
with enhancement
HEAD CONTRAST
contrast phase
HEAD IV C+
iv c
W IV CONTRAST
w/IV
WITH IV DYE
Post inject
after contrast
after injection
5 min post
10 MIN POST
3 MIN DELAY
DELAYED POST
delay 70s
30 sec delay
portal phase
venous phase 70s
late arterial
Early arterial
fase precoce
fase portale
fase equilibrio
ritardata
temps parenchymateux
phase veineuse
phase artérielle
phase tardive
retard
iodé
produit iodé
avec contraste iodé
mit Jod
jodhaltiges KM
Kontrastmittelgabe
Kontraststudie
postkontr.
n.KM
+ KM i.v.
i.v.-KM
TK z kontrastem dożylnym
po podaniu środka
mit i.v. Kontrast
CT Hirn mit
mozek po podání k.l.
mozek s KL
cerebrum m. kontrast
CT hoved med kontrast
hode med kontrast
DT hlavy s kontrastom
glava s kontrastom
glava sa kontrastom
cap cu contrast
agy CT kontraszttal
pea kontrastiga
galva su kontrastu
beyin BT kontrastlı
IV kontrast
İVKM
εγκέφαλος με σκιαγραφικό
КТ головы с контрастом
КТ голови з контрастом
КТ ангио
头颅CTA
颅脑增强
脑动脉
头CT增强
頭部CT 造影
脳造影CT
頭部造影 5mm
造影 axial
造影CT後期相
CTA 脳
뇌 CT 조영
뇌 조영증강
뇌CT 조영후
CT رأس مع صبغة
CT מוח עם חומר ניגוד
सीटी ब्रेन कंट्रास्ट के साथ
CT สมอง ฉีดสารทึบรังสี
CT sọ não có tiêm thuốc cản quang
CT kepala dengan kontras
con mezzo di contrasto
tac encefalo con mdc
TC encéfalo com contraste
TAC craneal con contraste
scanner cérébral avec injection
scanner cérébral injecté
TDM C+
Head Post Contrast Axial
AX POST CONTRAST
3D POST
COW 0.625
COW MIP
CIRCLE OF WILLIS 1MM
Carotids & COW
VERTEBRALS AND CAROTIDS
Stroke CTA
CODE STROKE CTA
mCTA
CTA phase 1
CTA DELAY
CTV HEAD
venogram head
MR VENOGRAM
Brain perfusion
Perfusion 5.0
Neuro perfusion
TEST BOLUS
Bolus
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
HEAD 5MM AXIAL
AX HEAD 5MM
AX BRAIN
AXIAL BRAIN 5.0
Axial 2.5mm STND
Recon 2: HEAD
Head STD 1.25
Brain Helical
CT HEAD
HEAD CT
NEURO HEAD
HeadSeq 4.8 H31s
Hd 5.0
Cranio-cerebral
Encéfalo
Hirn
Gehirn 5mm
CT Kopf
MPR cor
Tra 5mm
Kopf tra
Kopf Spirale 1.0 Hr38
Post-Fossa 2.5mm
post fosa
Fosa posterior
Fossa post.
Post surgical
S/P CRANI
Head 5mm post op
POST OP DAY 1
Head trauma
Skull
Skull base
PET CT
AC CT
CT attenuation
Lung
CHEST
FACE
Orbits
Sinuses
IAC
Temporal Bone
Cervical
C Spine
T-Spine
5.0 x 5.0
Brain window
Subdural window
Bone window W2000
W100 L40
Brain W80
STROKE WINDOW
STEALTH
BRAINLAB
NAVIGATION
Pediatric head
BABY HEAD
Head (0-2)
HEAD_TRAUMA
HEAD^ROUTINE
Head^HeadRoutine (Adult)
Head^1_HEAD_ROUTINE
Cerveau
Cervello
Cerebro
mozog
hlava
glava
Kepala
Đầu
Sọ não
สมอง
ศีรษะ
ראש
מוח
رأس
دماغ
सिर
두부
뇌
头
颅脑
頭部 5mm
頭部 軸位
頭部CT
脳 軟部
骨条件
Convolution B31
O-MAR
MAR head
Metal Artifact Reduction
Dual Energy
DE_Head F_0.5
Mixed
80kV
Monoenergetic 70 keV
Sn140
IQon
SPECTRAL
conventional
CONV 5mm
Concise
Continuous
Central
Cephal
COMPLETE HEAD
Computed
Comparison
CONE BEAM
Control
Contr. CT
CTRL
con't
Noncoplanar
Vendor
venture
Article
PERFORMED
performed elsewhere
Outside
IVD
4th ventricle
C3-C4
PC
CM
5 cm
10 cm FOV
25 cm
mm
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
