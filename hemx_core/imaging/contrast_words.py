"""Words for contrast medium in any language: lists only, read by `hemx_core.imaging.contrast`.

How an entry is written: lower case, without accents; entries are parted by `|`. A blank stands for
up to two signs or for nothing ("w o" is "w/o", "w o", "w-o" and "wo"); `*` is the rest of a word, or
its beginning. Entries in Latin, Greek and Cyrillic letters are whole words; all others, and those
that begin with `*`, may stand within a word.
"""

from __future__ import annotations

MEDIUM = {
    "en": """
        *contrast* | enhanc* | cm | ce | con | contr | cont | dye | inject* | inj | iodin* | iv c
    """,
    "de": "*kontrast* | kontr | km | jod | gabe",
    "fr": "produit de contraste | pdc | pci | pc | iode* | injection de produit",
    "it": "mdc | md c | mezzo di | iniezione | iniett*",
    "es, pt": "cte | ctr | civ | inyec* | injetad* | injecao | iodad*",
    "nl": "contrastmiddel",
    "cs, pl": "kl | k l | srodk* cieni*",
    "fi": "varjoaine* | varjoain* | tehoste* | tehostee*",
    "ro": "sdc | substanta de",
    "tr": "opak* | ilac* | kontrast madde*",
    "el": "σκιαγραφικ* | σκιαστικ* | εγχυσ* | ενισχυσ*",
    "ru, uk": "*контраст* | ку | кв | усилен* | пидсилен* | підсилен* | кр | болюс*",
    "zh": """
        增强 | 增強 | 强化 | 強化 | 加强 | 对比剂 | 對比劑 | 造影 | 显影剂 | 顯影劑 | 显影 |
        顯影 | 打药 | 打藥 | 注射
    """,
    "ja": "造影剤 | 造影 | ゾウエイ | エンハンス | コントラスト | 増強",
    "ko": "조영제 | 조영 | 증강",
    "ar": "الصبغة | صبغة | الصبغه | صبغه | تباين | ظليلة | ظليل | حقن",
    "fa": "تزريق | تزریق | کنتراست | ماده حاجب",
    "he": "חומר ניגוד | ניגוד | הזרקה | הזרקת",
    "hi": "कंट्रास्ट | कॉन्ट्रास्ट | कन्ट्रास्ट | कांट्रास्ट",
    "th": "ฉีดสี | ฉีดสารทึบรังสี | สารทึบรังสี | ทึบรังสี | ฉีด | คอนทราสต์ | คอนทราส",
    "vi": "can quang | tiem thuoc | tiem | thuoc",
    "id, ms": "kontras* | zat kontras",
}
"""What contrast medium, its injection and its effect are called."""

ALONE = {
    "en": """
        iv cont | iv c | with cm | inj | inject* | ivkm | omni | postkontr | *contrast* | w/c |
        w cont | post c | ivc | oral iv | po iv | iv oral | enhanced | enhancement | enhancing |
        ce | dye | iodine*
    """,
    "de": "mit jod | *kontrast* | km | mkm | kmg",
    "fr": "pdc | avec produit | apc | apci | apdc | aic | iode* | injecte* | injection",
    "it": "mdc | cmdc | iniettat*",
    "es, pt": """
        c/c | craneo cc | cranio cc | cerebro cc | encefalo cc | cabeza cc | tac cc | c cte |
        c civ | c contr | civ | cte | inyectad* | inyeccion | injetad*
    """,
    "fi": "varjoaine* | tehoste | tehostea* | tehostein* | tehosteell* | tehostettu",
    "cs, pl": "po podaniu | po podani | s kl | s k l | po kl | po k l | z kl",
    "ro": "sdc",
    "tr": "opakli | ilacli",
    "el": "σκιαγραφικ* | σκιαστικ* | ενισχυσ* | εγχυσ*",
    "ru, uk": "*контраст* | ку | с кв",
    "zh": """
        增强 | 增強 | 强化 | 強化 | 加强 | 对比剂 | 對比劑 | 造影 | 显影剂 | 顯影劑 | 打药 |
        打藥 | 注射后 | 注射後
    """,
    "ja": "造影 | ゾウエイ | エンハンス | コントラスト",
    "ko": "조영 | 증강",
    "ar": "الصبغة | صبغة | الصبغه | صبغه | تباين | ظليلة | حقن",
    "fa": "تزريق | تزریق | کنتراست | ماده حاجب",
    "he": "ניגוד | הזרקה | הזרקת",
    "hi": "कंट्रास्ट | कॉन्ट्रास्ट | कन्ट्रास्ट | कांट्रास्ट",
    "th": "ฉีด | ทึบรังสี | คอนทราส",
    "vi": "can quang | tiem thuoc | co tiem | co thuoc | sau tiem",
    "id, ms": "kontras*",
    "phases": """
        retard* | ritardat* | fase precoce | phase precoce | fase parenchym* | temps parenchym* |
        arterial* | arterie* | arterios* | arteriyel* | arteri | artaerfas* | arteriefas* |
        artarfas* | arter* fa* | fase art* | art | ven | venos* | venoes* | venous* | vene* fa* |
        venefas* | venfas* | venoz* | veineu* | veneus* | venoas* | venaz* | venas fazis |
        vena fa* | fase vena | portal* | porto* | delay* | delays | equilib* | equil | pvp |
        pv phase | parenchymal phase | gleichgewicht* | parenchymphase | spaetphase | spatphase |
        spat* phase | spat | spatven* | spat* venos* | late phase | laat* fase | late fase |
        tardiv* | tardif* | tardi* | senfase* | sen fas* | sein fas* | tetnicz* | zyln* | wrotn* |
        opoznion* | zilni | odlozen* | pozdni | valtimovaihe* | laskimovaihe* | myohaisvaihe* |
        kesoi | gec faz | gecikmis* | lambat | tertunda | tetnic* | nephrogra* | pyelogra* |
        excretor* | multiphas* | multifas* | triphas* | biphas* | mischphase
    """,
    "phases in other letters": """
        αρτηριακ* | φλεβικ* | καθυστερημ* | οψιμ* | πυλαι* | артериальн* | артериальна |
        артеріальн* | венозн* | отсроч* | видстроч* | відстроч* | портальн* | паренхимат* |
        动脉期 | 動脈期 | 动脉 | 静脉期 | 靜脈期 | 静脉 | 静脈期 | 延迟 | 延遲 | 延时 | 門脈期 |
        门脉 | 門脈 | 平衡期 | 实质期 | 動脈相 | 静脈相 | 平衡相 | 遅延 | 後期相 | 早期相 |
        動脈優位 | 動脈 | 静脈 | 동맥 | 정맥 | 문맥 | 지연 | 평형기 | شرياني | وريدي | עורקי |
        ורידי | שלב מאוחר | धमनी | หลอดเลือดแดง | หลอดเลือดดำ | dong mach | tinh mach
    """,
    "vessels": """
        vasi | vasos | vascular | vasculaire | vascolare | vessels | vaisseaux | gefass* |
        gefaess* | cisternogra* | myelogra* | angio* | angi* ct | angiotac | angiotc | angiotdm |
        cta | spot sign | 3d cta | 4d cta | dcta | mcta | ctangio* | cct a | acta | ctv | ctp |
        ctpa | cect | ce ct | neuro pct | vpct | cow | willis | circle of willis | carotid* |
        karotis* | karotid* | carotis | carotyd* | tsa | artery | arteries | arteres | arterias |
        arterie | artere | vertebral art* | arch to vertex | arch vertex | arch to cow |
        veno gra* | venogra* | flebogra* | phlebogra* | arteriogra* | perfusi* | perfuzi* |
        perfuzyon | perf | ct perf* | cbf | cbv | mtt | tmax | dsa | subtract* | bolus* | vnc |
        vue | vncct | iodine map | iodmap | iod* overlay | кта | ангио* | перфуз* | αγγειο* |
        血管造影 | 血管成像 | 血管撮影 | 灌注 | 灌流 | パーフュージョン | アンギオ | アンジオ |
        ダイナミック | 관류 | 혈관조영 | 혈관 조영 | أوعية | اوعيه | קרוטיד* | אנגיו | צנתור |
        एंजियो | แองจิโอ | mach mau nao
    """,
    "agents": """
        iohexol* | iopamidol* | iopromid* | iodixanol* | ioversol* | iomeprol* | iobitridol* |
        ioxagl* | ioxilan* | iopentol* | ioxithalam* | ioxital* | iothalam* | diatriz* |
        amidotriz* | metrizam* | omnipaq* | omnipak* | isovue* | ultravist* | visipaq* |
        visipak* | optiray* | iomeron* | imeron* | xenetix* | accupaq* | iopamir* | niopam* |
        solutrast* | oxilan* | hexabrix* | oypalomin* | oipalomin* | iopaque | scanlux* |
        unipaque | telebrix* | conray* | urograf* | renograf* | hypaque* | proscope* | cysto* |
        iobrix* | optison | omnitrast* | clarograf* | pamiray* | bonorex* | iopamigita* |
        iomerol* | jodixanol* | johexol* | jopamidol* | jopromid* | jomeprol* | joversol* |
        gado* | gad | gd | magnevist* | dotarem* | gadovist* | mg i | mgi | mg ml | mg j | 碘 |
        欧乃派克 | 优维显 | 典比乐 | 歐乃派克 | 碘海醇 | 碘帕醇 | イオパミ | オムニパーク |
        オイパロミン | イオメロン | オプチレイ | イオヘキソール | イオパミドール | ヨード |
        옴니파큐 | 울트라비스트 | 비지파크 | омнипак* | ультравист* | визипак* | йогексол* |
        йодиксанол* | оптирей* | йопромид* | юнигексол* | сканлюкс* | йод*
    """,
}
"""What says "contrast" by itself, where no word of `WITHOUT` or `AFTER` turns it round."""

WITHOUT = {
    "en": """
        without | with out | withou | w o | w out | wout | no | non | not | none | un | minus |
        pre | before | prior to | free of | never
    """,
    "de": "ohne | kein | keine | keinem | keinen | nicht | vor",
    "fr": "sans | ss | aucun* | avant | hors",
    "it": "senza | prima | nessun*",
    "es": "sin | antes | previo a | ningun* | sense",
    "pt": "sem | nao | antes | nenhum*",
    "nl": "zonder | geen | voor",
    "pl": "bez | przed | nie",
    "cs": "bez | pred | zadn*",
    "nordic": "utan | uten | uden | for iv | ingen | inget | fore | innan | inden",
    "fi": "ilman | ennen | ei",
    "hu": "nem | nincs",
    "ro": "fara | inainte de | inaintea | nu",
    "baltic": "ilma",
    "el": "χωρισ | ανευ | πριν | δεν | οχι",
    "ru, uk": "без | до | не | перед | нет | бес | нема",
    "zh, ja": """
        无 | 無 | 非 | 未 | 不 | 没有 | 沒有 | 不打 | 不加 | 未加 | 未打 | 不用 | 未用
    """,
    "ko": "비 | 무 | 노",
    "ar": "بدون | من دون | دون | بلا | بغير | غير | قبل | من غير",
    "he": "ללא | בלי | לפני | אין | ללא הזרקת",
    "hi": "बिना | बगैर | नॉन | नान",
    "th": "ไม่ใช้ | ไม่มี | ไม่ได้ | ไม่ | ก่อน",
    "vi": "khong | chua | truoc",
    "id": "tanpa | tidak | sebelum | belum",
}
"""What stands before a medium that was not given, or not yet."""

STRONG = """
    ss | without | ohne | kein* | sans | sin | senza | sem | nao | zonder | geen | bez | utan |
    uten | uden | ingen | ilman | fara | sense | χωρισ | ανευ | без | не | khong | chua | tanpa |
    tidak
"""
"""Of these, those that reach across a word or two: "sem meio de contraste"."""

AFTER = {
    "en": """
        none | no | n | pre | nil | not | off | free | negative | without | 0 ml | 0 cc | 0 |
        false | minus
    """,
    "de": "keins | kein | keine | keines | nein | nicht | frei | los | ohne",
    "fr": "non | aucun | aucune | sans | neant | pas",
    "it": "nessuno | senza",
    "es, pt": "ninguno | nenhum | sin | sem | nao",
    "nl": "nee | geen | niet",
    "pl, cs": "brak | nie | ne | zadny | zadna | bez",
    "nordic": "nej | nei | ingen | inget | ej | ikke | inte | fri | fritt | frit",
    "fi": "ei | eioo | iton",
    "hu": "nelkul* | elott | nincs | nem | mentes",
    "ro": "nu | fara",
    "tr": "siz | siz* | suz | yok | oncesi | hayir | verilmedi | once",
    "el": "χωρισ | οχι | δεν",
    "ru, uk": "нет | без | не | нема | ні | ни | отсутств*",
    "zh": "前 | 无 | 無 | 未 | 否 | 没有 | 沒有",
    "ja": "なし | 無し | 無 | ナシ | ない | せず | 不使用 | 未使用 | 未 | 不可 | 前",
    "ko": "미투여 | 없이 | 없음 | 전 | 안함 | 안 함 | 미사용 | 무 | 미시행",
    "he": "ללא | אין | לא",
    "ar": "لا | بدون",
    "hi": "के बिना | बिना | रहित | से पहले | नहीं",
    "th": "ไม่",
    "vi": "khong",
    "id": "tidak",
}
"""What stands after a medium that was not given, or not yet."""

PLAIN = {
    "en": """
        nonce | n/c | i- | plain | native | unenhanced | nonenhanced | non enh | uninfused |
        noncon* | non con | noncontrast* | ncct | nect | nce | nccth | nhct | nc | ncc | woc |
        wo c | w o c | no c | no iv | non iv | pre | precon* | precontr* | tnc | unenh* |
        non infused | wocon* | c minus
    """,
    "de": "nativ* | okm | o km | o kontrast* | leerscan | leeraufnahme | leerserie",
    "fr": """
        s/inj* | s/ inj* | a blanc | spc | spci | spdc | sic | sans iv | sans ic | non inj* | sans
    """,
    "it": "smdc | s mdc | in bianco | basale | dirett* | senza",
    "es, pt": """
        s/c | en vacio | vacio | s cte | s contr* | s contraste | s civ | s iv | sc | simple |
        sin | sem | s medio*
    """,
    "nl": "blanco | blank",
    "pl, cs": "natywn* | b k | bez kl | bez k l | bez iv | bez",
    "nordic": "u kontrast* | u k | u contrast* | for kontrast* | utan | uten | uden",
    "fi": "natiivi*",
    "baltic": "be kontrast*",
    "el": "απλη | απλη αξονικη",
    "ru, uk": """
        натив* | нативн* | безконтраст* | бесконтраст* | неконтраст* | доконтраст* | без
    """,
    "zh": "普通扫 | 平扫 | 平掃 | 平扫期 | 素描 | 单纯",
    "ja": "単純 | 單純 | プレーン | 非造影",
    "ko": "단순 | 비조영 | 무조영 | 조영x | 조영 x",
    "ar": "بسيط",
    "hi": "सादा | प्लेन",
    "he": "נטיבי",
    "id": "polos",
    "within a word": """
        kontrastfrei* | kontrastlos* | kontrastsiz* | kontrastsuz* | opaksiz* | ilacsiz* |
        kontrastfri* | contrastfree* | contrastless | *withoutcontr* | *noncontr* | *precontr* |
        *ohnekm* | *ohnekontr* | *senzacontr* | *senzamdc* | *sincontr* | *semcontr* |
        *sanscontr* | *sansinj* | *zondercontr* | *bezkontr* | *utankontr* | *utenkontr* |
        varjoaineeton* | tehosteeton* | kontrasztmentes* | kontrastiton* | kontrast*ton |
        uncontrast*
    """,
}
"""What says "no contrast" by itself."""

FILLERS = """
    any | the | a | an | use of | use | of | oral | orally | and | or | i v | iv | ev | e v |
    intraven* | intravein* | endoven* | endovein* | intravasc* | media | medium | medio | medios |
    mezzo | mezzi | mittel* | agent* | material | admin* | given | giving | was | de | di | du |
    des | del | della | dello | do | da | d | l | le | la | il | lo | el | al | lui | produit |
    product* | produto | dan | srodka | srodkiem | podani* | latky | latka | anyag* |
    application | gabe | gegeb* | applik* | vermogen | brug | bruk | av | af | στη | του | τησ |
    η | в в | внутривенн* | внутрішньовенн* | внутришньовенн* | введен* | введення | вещества |
    средства | препарата | речовини | 使用 | 投与 | 注入 | 检查 | 扫描 | 剤 | 剂 | 劑 | 사용 |
    제 | 의 | مادة | المادة | حقن | वाला | thuoc | tiem | zat | enhanced | sequence | phase |
    agents | route | yet | been
"""
"""What may stand between the two."""

AND = """
    and | und | et | e | y | i | och | og | en | ja | es | si | ve | και | и | і | та | 及 | 和 |
    并 | و | ו | va | dan | plus | then
"""

OR = """
    or | oder | ou | o | lub | nebo | eller | of | tai | vagy | sau | veya | או | أو | 或 | или |
    або
"""

WITH = {
    "all": """
        with | w | mit | avec | con | com | met | med | z | ze | s | so | kanssa | cu | με |
        μετα | с | со | з | із | зі | amb | dengan | post | nach | apres | dopo | despues | apos |
        na | po | efter | etter | jalkeen | dupa | после | писля | після | ile | 有 | 후 | مع | עם
    """,
}
"""What stands before a medium that was given: read only to tell "with and without"."""

BARE_WITH = "with | w | mit | avec | con | com"
"""Says "contrast" where the description ends with it."""

QUIET = """
    head | brain | neuro | cranium | skull | kopf | schadel | craneo | crane | cranio | cerebrum |
    caput | ct | cct | tc | tac | axial | ax | tra | std | stnd | standard | soft | thin | thick |
    bone | routine | vol | volume | recon | mpr | mm | hr | adult | child | baby | seq | spiral |
    helical | helix | series | tilt | stroke | trauma | h | s | f | fc | j | hc | uc | asir |
    idose | aidr | whole | half | base | vertex | day | baseline | follow | up | demo
"""
"""A description of these words alone says nothing of contrast."""

SERIES_WORDS = """
    ax | axial | axiales | axiaal | tra | trans | transversal | cor | coronal | sag | sagittal |
    helical | spiral | seq | head | brain | neuro | cranium | skull | kopf | schadel | craneo |
    crane | cranio | std | stnd | stand | standard | soft | thin | thick | bone | routine | vol |
    volume | recon | mpr | mm | hr | ct | series | delay* | art | ven | phase | iv | st | i |
    early | late | inj | gad | min | sec | h | fc | b | j | hc | uc
"""
"""Words of a series that say nothing of contrast: "HEAD POST AXIAL" is contrast."""

HARMLESS = """
    fossa post* | fosa post* | fosse post* | so nao | inject* site | enhanced conversion |
    enhanced ct image* | enhanced multi* | enhanced detail* | enhanced sharp* | enhanced resol* |
    enhanced image | enhanced multiframe | enhanced storage | enhanced sop | enhanced dicom |
    legacy conv* enhanced | edge enhanc* | enhanced edge* | edge contrast | detail enhanc* |
    image enhanc* | bone enhanc* | sharp* enhanc* | noise enhanc* | structure enhanc* |
    enhanc* filter | resolution enhanc* | enhanced bone | low contrast | high contrast |
    hi contrast | soft tissue contrast | tissue contrast | contrast resol* | contrast detail* |
    contrast scale | contrast phantom | contrast noise | contrast to noise | contrast filter |
    contrast optim* | kontrastreich | kontrastarm | angiopath* | angioma* | hemangio* |
    angiosarc* | angioedem* | cavernoma | venous thromb* | without tilt | metal art* |
    art reduc* | art correct* | artefact* | artifact* | iodine allerg* | contrast allerg* |
    post f* | posterior* | posterieur* | posteriore* | post op* | postop* | post oper* |
    post surg* | post trau* | posttraum* | post treat* | post ther* | post thromb* | post tpa |
    post rtpa | post lysis | post lyse | post evt | post coil* | post clip* | post embol* |
    post evd | post shunt* | post vp* | post crani* | post proc* | postproc* | post mort* |
    postmort* | pmct | post red* | post resec* | post fall | post stroke | post ict* |
    post part* | post evac* | post drain* | post biops* | post sx | post rx | post arrest |
    post cardiac* | post angio* | post stent* | post burr* | post decomp* | post tap | post lp |
    post intub* | post angiopl* | post eval | post chir* | post code | post crash | post mva |
    post tbi | post concuss* | post extub* | post hem* | post bleed* | post rt | post radi* |
    post chemo* | post transpl* | post dialys* | post ecmo | post thoro* | post natal* |
    post menin* | postnat* | postpart* | poste | post it | with bone | w bone | with mar | w mar |
    with imar | with sedation | with anaesth* | with anesth* | with tilt | w tilt | with gantry |
    with mpr* | w mpr* | with recon* | w recon* | with 3d | w 3d | with thin* | w thin* |
    with asir* | w asir* | con mpr | mit mpr | avec mpr | with reform* | w reform* | with fid* |
    with frame | w frame | with mask | with stealth | with contrast window | c spine | c sp | c1 |
    c2 | c arm | delayed injury | delayed hem* | delayed bleed* | carotid canal |
    carotide interne canal | arterial line | artery stent | venous malf* | venous angiom* |
    venous infarct* | 増強なし | 血管障害 | 脳血管障害 | 動脈硬化 | 動脈瘤術後 | 静脈洞血栓 |
    静脉窦血栓 | 対比 | contrast window* | portable | portal* dent* | portio
"""
"""What looks like a word for contrast and is none: taken out first."""

VIRTUAL = """
    virtual* non* | virtual* unenh* | virtual native* | virtuell* nativ* | virtuell* ohne | vnc |
    virtual plain
"""
"""Pictures with the iodine calculated away: they were made with contrast."""

MAYBE = """
    iv | c | cc | contrast window | dynamic* | dynamisch* | dinamic* | late | early | ap phase |
    kontrast fenster | enh | cont
"""
"""What may mean contrast or something else."""

NONE_GIVEN = """
    given | administered | adm | admin* | used | applied | gegeben | verabreicht | appliziert |
    angewendet | administre* | utilise* | administrad* | usad* | utilizad* | somministrat* |
    usat* | toegediend | gebruikt | podan* | podano | gitt | givet | annettu | adott |
    administrat | verildi | χορηγηθηκε | введен* | вводил* | применял* | 使用 | 投与 | 注入 |
    사용 | ivc | injected | injecte | done | performed | required | needed
"""
"""What may follow "not" where the tag of the agent says that none was given."""

NONE = """
    none | no | n | non | nil | null | nul | nulo | off | false | not | na | n a | nay |
    negative | neg | zero | without | w o | ohne | kein | keine | keines | nein | nicht | nichts |
    sans | aucun* | neant | rien | senza | nessun* | niente | sin | ningun* | nada | sem |
    nenhum* | nao | zonder | geen | nee | niets | brak | nie | bez | zadn* | ne | nic | ingen* |
    inget | intet | nej | nei | ej | utan | uten | uden | ei | ei mitaan | ilman | nincs* | nem |
    semmi | nelkul | fara | nimic | nu | yok | hayir | χωρισ | οχι | καμια | κανενα | нет | без |
    не | немае | немає | ні | отсутств* | 无 | 無 | 否 | 不 | 未 | 没有 | 沒有 | 无造影剂 | なし |
    無し | ナシ | ない | 未使用 | 不使用 | 使用せず | 使用なし | 使用しない | 投与せず |
    投与なし | 非 | 사용 안함 | 미사용 | 없음 | 없이 | 무 | 안함 | لا | لا يوجد | بدون | אין |
    ללא | לא | नहीं | बिना | कोई नहीं | ไม่ | ไม่มี | khong | khong co | tidak | tidak ada |
    tanpa | plain | native | nativ | simple | 平扫 | 平掃 | 単純 | saline | nacl | water | air |
    co2 | not applicable | not available
"""
"""What the tag of the agent says where none was given."""

UNKNOWN = """
    unknown | unk | unspecified | unspec | undefined | not specified | not known | n k |
    unbekannt | inconnu* | desconocid* | sconosciut* | desconhecid* | onbekend | nieznan* |
    neznam* | okand* | ukendt | ukjent | tuntematon | ismeretlen | necunoscut | bilinmiyor |
    αγνωστο | неизвестн* | невидом* | невідом* | 不明 | 未知 | 알 수 없음 | غير معروف | לא ידוע |
    अज्ञात | ไม่ทราบ | khong ro | tidak diketahui | anonymi* | anon | removed | deidentif* |
    de identif* | redacted | other | default | x | xx | xxx | blank | empty | tbd | see report |
    protocol | keine angabe | k a | s o
"""
"""What the tag of the agent says where it says nothing."""

ORAL = """
    oral* | per os | po | p o | peroral* | rectal* | rektal* | enema | barium* | gastrograf* |
    gastroview* | gastro*
"""
"""Contrast medium that does not reach the head."""
