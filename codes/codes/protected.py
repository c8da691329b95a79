"""What nothing may depend on that a post says of persons 受保护的个人特征: gender, age, ethnicity, hometown, photo.

Whether somebody is married, or has or plans children, goes with gender (妇女权益保障法 art. 43).

`demands` finds what a text asks of them or excludes by them, for the issuer to take out; a word about a trade or its
customers (`女装设计`, `12-18 岁的青少年`) is no demand. `without` leaves out every word of them, so that no score hears of it,
also as part of another (`女文员`) and where it is meant of customers (`女性健康`), since nobody can tell. What goods, sports
and medicine are called (`女装`, `男科`) stays.

Sources: 就业促进法 arts. 27 (gender) and 28 (ethnicity); 妇女权益保障法 (2022) art. 43; 人力资源市场暂行条例 art. 24 (what an
advertisement of a post may not hold); 国办发〔2013〕35号 (no limits by age or registered residence for graduates);
个人信息保护法 art. 6 (no more data than the purpose needs).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from codes import regions


@dataclass(frozen=True)
class Attribute:
    """One attribute: its names, the rule that a demand breaks, and how people write of it.

    `asked` are demands; `said` are words of it that ask for nothing (`性别不限`), `values` name what a person may be (`女性`).
    """

    name: str
    zh: str
    en: str
    rule: str
    asked: re.Pattern[str]
    said: re.Pattern[str]
    values: re.Pattern[str]


@dataclass(frozen=True)
class Demand:
    """What a text asks of one attribute."""

    attribute: Attribute
    words: str


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


_START, _END = r"(?<![^，,；;、（(\n\s:：])", r"(?![^，,。；;、）)\n\s!！])"  # of what stands alone between two commas
# Who is asked for, and how: `_sought` puts before and behind whoever it is what postings say there.
_TAKEN = "(?:面向|招聘|招收?|录[用取]|接受|接收|考虑|欢迎|收|要|找|选)"
_ONLY = (
    f"(?:[仅只](?:限|{_TAKEN})|限|要求[:：]?|[须需](?:为|是)|必须(?:为|是)"
    r"|(?:招聘|招收|招募|录用|应聘|面试)(?:对象|人群)\s{0,2}(?:[:：]|为|是)\s{0,2})"
)
_NO = f"(?:不(?:会|再|予)?{_TAKEN}|谢绝|拒绝|婉拒|拒收|拒招)"
_RATHER = (  # what also stands before what else is done for somebody: they end their part, or seek work
    f"(?:(?:更|较|比较|最)?(?:倾向于?|偏向于?|偏好|偏爱){_TAKEN}?|优先{_TAKEN}|[首优]选|[仅只](?:限|招)?|最好(?:是|为)?|希望(?:是|为)"
    f"|{_START}要|(?:岗位?|职位|招聘)(?:仅|只|主要)?面向|(?:更|较|最|只)?适合|不(?:建议|推荐|太?适合|宜|欢迎))"
)
_FIRST = (
    "(?:者|的|可|将|会|予以|给予){0,3}(?:优先考虑|优先(?:录[用取])?|为佳|尤佳|更佳|为宜|佳(?![一-鿿])"
    "|更(?:好|合适|适合|有优势)(?![一-鿿]))"
)
_REFUSED = (  # what stands behind whom a post will not have
    "(?:们|者|的){0,2}(?:一律|请|均|概){0,2}(?:勿[扰投入来报]|慎[投入重报]|莫[扰投入]|免谈|[别免]投|绕道|绕行|除外|止步|不予考虑"
    "|不(?:会|予)?(?:[招要收考]|考虑|录[用取]|招收|接受)(?![一-鿿]))"
)
_SEEKERS = (
    "(?:们|的|者|(?:求职|应聘|申请)[人者]|候选人|学生|同[学志胞]|朋友|考生|人士|人员|青年|姑娘|小伙子?|员工){0,4}"
    "(?:前来|来|请|可|方可|才能|能)?(?:投递|应聘|求职|报名|申请)?"
)
_GRADUATES = "(?:应届)?(?:硕士|博士|本科生?|专科生?|研究生|大学生|毕业生|实习生)"  # what they have to be stays
_OTHERS = (  # whom the work is for
    "(?!的?(?:[男女]性|[男女])?(?:儿童|幼儿|婴|少年|青少年|孩|学生|学员|老人|老年|人群|患者|用户|客户|顾客|消费|读者|玩家|受众|观众"
    "|青年(?:科学|科技|基金)|市场|健康|时尚|社区|课程|产品|品牌))"
)
_SOUGHT_EN = (
    "(?: (?:candidates?|applicants?|graduates?|students?|staff|employees|workers|people))?"
    "(?: (?:is|are|will be|would be))?(?: (?:strongly|highly))?"
    " (?:only|preferred|required|need not apply|(?:should|must|do|may|can) not apply|excluded"
    "|(?:(?:will|would|can|shall) not be|not) (?:considered|accepted|hired))"
)
_BEFORE_EN = (
    "(?<![a-z])(?:no|only|must be|prefer(?:ably|red|ring)?[:：]?|preference (?:(?:will be|is) )?(?:given )?(?:to|for)"
    "|(?:open|limited|restricted) to|looking for|seeking|(?:ethnicity|gender|sex) ?[:：])(?: an?)? "
)


def _sought(name: str, *who: str) -> str:
    """A pattern of texts that ask for somebody, or will have none of them."""
    only, most, anyone = f"{name}_only", f"{name}_most", f"(?:{'|'.join(who)})"
    return (
        rf"(?:(?P<{only}>{_ONLY}|{_NO})|(?P<{most}>(?:{_START}|(?<=招聘)|(?<=岗位)|(?<=录用)|(?<=优先))以)|{_RATHER})\s{{0,2}}{anyone}"
        rf"(?({only}){_OTHERS}{_SEEKERS}|(?({most})为(?:主|佳|宜){_END}"
        rf"|{_SEEKERS}(?:从事|加入)?(?:{_END}|(?={_GRADUATES}{_SEEKERS}{_END}))))"
        rf"|{anyone}(?:(?:[或和及][一-鿿]{{1,6}}?)?{_SEEKERS}(?:{_FIRST}|{_REFUSED})|(?={_SEEKERS}{_GRADUATES}{_SEEKERS}(?:{_FIRST}|{_REFUSED})))"
    )


def _sought_en(who: str) -> tuple[str, ...]:
    return (rf"(?<![a-z]){who}{_SOUGHT_EN}", rf"{_BEFORE_EN}{who}(?! ?(?:/|or |and ))")


_AGE = r"(?:\d{2}|[二三四五六]十[一二三四五六七八九]?)"
_YEARS = r"\s{0,2}周?岁"
_RANGE = rf"{_AGE}\s{{0,2}}(?:周?岁)?\s{{0,2}}[-~—–至到]{{1,2}}\s{{0,2}}{_AGE}"
_AT_MOST = "(?:不得?(?:超过|高于|大于)|不能(?:超过|高于)|不应超过|低于|小于|未满|不满|不[到过]|至多|最[多大高]|[≤<]=?)"
_BOUND = r"(?:\s{0,2}[（(]\s{0,2}含[^）)]{0,8}[）)])?\s{0,2}[及或]?(?:以[下内上]|之[间内下]|左右|上下|封顶)"  # 35岁（含）以下
_BARE = r"(?:[2-5]\d|[二三四五]十[一二三四五六七八九]?)"  # an age without its unit
_WHOSE = "(?:客户|用户|顾客|患者|受众|读者|玩家|会员|消费者|粉丝|服务对象|目标人群|人群|公众|市民|居民)"
_THEIR = "".join(
    f"(?<!{who})(?<!{who}的)"
    for who in ["客户", "用户", "顾客", "患者", "学生", "学员", "儿童", "受众", "读者", "玩家", "人群", "会员"]
)
_END_EN = r"(?![^,;.)\n，；。、）])"
_OTHERS_EN = "(?! (?:children|kids|students|teenagers))"
_BORN = r"(?<!\d)(?:[6-9][05]|0[05])后(?![端台面续期视卫方来])"
_OLD = "[大高超]龄(?!儿童|少儿|老|产|孕|期)(?:青年|人员|人士|者|求职者)?"
_PEOPLES = (  # GB/T 3304
    "汉|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|柯尔克孜|"
    "土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|"
    "赫哲|门巴|珞巴|基诺"
)
_PEOPLE = (  # also by the short names that people use
    rf"(?:(?:{_PEOPLES})民?族(?:人(?!口))?|(?<!思)(?<!运)[蒙维柯哈]族|(?<!收)(?<!珍)(?<!召)(?<!返)[汉回藏蒙维苗彝壮瑶傣侗满]民"
    r"(?![间办营警生政用国主宿法航俗居事])|少数民族)(?!自治|馆|箱|缸)"
)
_PEOPLES_EN = (  # those whose names in Latin letters are no common words
    "(?:(?:han|hui|uyghur|uighur|uygur|tibetan|mongol|mongolian|manchu|zhuang|miao|hmong|tujia|kazakh|kirgiz|kyrgyz)s?"
    r"(?! ?(?:language|translat|interpret|medicine|studies|literature|plateau))"
    r"|ethnic minorit(?:y|ies))(?: (?:chinese|nationality|people|ethnicity|ethnic group))?"
)
_OUTSIDE = "外地|外省市?|外市|外县|外乡"
_PLACES = (
    "北京|天津|河北|山西|内蒙古?|辽宁|吉林|黑龙江|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|重庆|四川|贵州|云南|西藏|"
    f"陕西|甘肃|青海|宁夏|新疆|香港|澳门|台湾|东北|本地|当地|本省|本市|本县|农村|城镇|{_OUTSIDE}"
)
_HOMES = (  # of which people say that they are from there, and which are in no table
    "潮汕|闽[南北]|客家|江浙沪?|川渝|苏[南北]|皖[南北]|陕北|关中|胶东|两广|西北|华北|华东|华南|西南|珠三角|长三角"
)
_CITIES = "|".join(sorted(regions.cities(), key=lambda name: (-len(name), name)))
_WORDS = frozenset(  # counties that are called as other things are
    """
        合作 资源 长寿 友好 前进 互助 和平 平安 解放 通道 方正 高明 同心 光明 前锋 工农 爱民 新星 安居 市中 城区 郊区 矿区
        回民
    """.split()  # noqa: SIM905
)
_COUNTIES = "|".join(sorted(regions.counties() - _WORDS, key=lambda name: (-len(name), name)))
_PLACE = f"(?:(?:{_PLACES}|{_HOMES}|{_CITIES}|{_COUNTIES})[省市区县州]?)"
_OF_CITY = "[京津沪渝深穗]户(?![外型均主数])[籍口]?|[京津沪渝冀豫辽黑湘皖鲁苏浙赣鄂桂甘晋蒙陕闽粤川琼]籍"
_PERSON = (  # `人` is no other word's
    "(?![才民力文口工员事社机造脸体像类均气品格寿物生际行防流居保道权性身脉大数次家参选设头名称车证货马心资])"
)
_REGISTERED = "(?:户籍|户口|籍贯)(?!管理|迁|办|登记|系统|业务|民警|政策|问题|档案|制度|改革|手续|信息|[本簿页])"
_ORIGIN = "(?:祖籍|原籍|籍贯|老家(?!具)|家乡)"
_FROM = (  # somebody from there
    rf"{_PLACE}{{1,3}}(?:籍(?!贯)|人士?{_PERSON}|生源|{_REGISTERED}|(?=的?(?:一律|请)*(?:[勿慎免别]投|勿扰)))"
    f"|{_REGISTERED}|老乡|同乡|{_OF_CITY}"
)
_ROLE = (  # behind 男 or 女: who is sought; neither whose work is to be a man or a woman (演员), nor who is there (员工)
    "(?:文员|前台|司机|保安|助理|助教|秘书|销售|客服|主播|教师|老师|教练|服务员|会计|出纳|护士|护工|医[生师]|技[师工]|业务员?|营业员|"
    "收银|保洁|厨师|学徒|普工|工(?![程作业艺])|讲师|店[员长]|导购|顾问|专员|经理|主管|接待|仓管|库管|操作[员工]|跟单|内勤|行政|人事|财务|"
    "实习|工程师|设计师|程序员|质检|编辑|翻译|运营|采购|总监|主任|管理员|研究员)"
)
_SUITED = "装鞋包裤裙袜衬套科篮足排乒儿巫王神贞"  # of goods, sports and medicine for them, not of who does the work
_FOLK = (  # other words for them
    "先生|宝[妈爸]|妈妈|爸爸|奶爸|小伙(?!伴)子?|姑娘|小姐姐?|小哥哥?|姐姐|哥哥|妹妹|弟弟|妹[子纸]|帅哥|[美靓]女|靓仔|少妇|阿姨|大[姐妈叔爷]|"
    "爷们|姐妹们|兄弟们|女?(?<!武)汉子(?!公司)"
)
_WEAR = r"(?!['’]?s? ?(?:wear|cloth|fashion|shoe|apparel|footwear|bag|garment|basketball|football|volleyball))"
_MAN = rf"(?:(?:fe)?males?|(?:wo)?m[ae]n|ladies|gentlem[ae]n|girls?|boys?){_WEAR}(?![a-z0-9-])"
_FACE = (  # a photo of oneself
    "(?:近照|生活照|证件照|全身照|半身照|登记照|标准照|形象照|正面照|免冠照?|[一二两12]寸照?)(?:照?片)?"
    "(?![的处拍和或编修类墙资管精制])"
)
_HANDED = "(?:附[上带有]?|粘?贴上?|[须需](?![附带提上发交]))"
_GIVEN = "(?:带上?|提供|提交|上传|发送?|上?交|寄|留|插入)"
_GOODS = "产品|商品|项目|成果|案例|样品|设备|现场|施工|拍摄|客户|房|宣传|活动|作品|婚纱|拍"
_SELF = (
    r"(?:本?人的?|近[一二两三半\d]+个?[月年]内?的?|个人的?|您的|你的|自己的?|近期的?|[清晰正面彩色真实]{2}的?|电子版?|一张|1张"
    "|最新)"
)
_PICTURE = "照片(?![的处拍和或编修类墙资管])(?:一张)?"
_YOUR = "(?:(?:a|an|your|the|recent|clear|personal|full-length|passport(?:[- ]sized?)?) )*"
_PHOTO_EN = r"(?:photo(?:graph)?s?|headshot)(?![a-z])(?! (?:edit|shoot|tool|studio|equip|galler|lab))"
ATTRIBUTES = (
    Attribute(
        "gender",
        "性别",
        "gender",
        "就业促进法第二十七条、妇女权益保障法第四十三条",
        _pattern(
            _sought("gender", rf"(?<![子儿])[男女](?:性|士|生|方|的|孩子?|同[胞志学]|青年)?+(?![{_SUITED}女男])", _FOLK),
            r"性别\s{0,2}(?:要求)?\s{0,2}[:：为]?\s{0,2}[男女](?![女男/、或])(?:性|士|生)?",
            r"[（(]\s?[男女]\s?[）)]",
            rf"(?:[已未][婚育]){{1,2}}(?:{_FIRST}|{_REFUSED}|{_END})|(?:[已未]婚[已未]育)",
            r"(?:近期|短期内?|[一二两三五\d]年内)?(?:[无没]有?|不得?有?)(?:生育|怀孕|备孕|结婚|婚育)(?:计划|打算)",
            rf"(?:单身|离异|丧偶){_SEEKERS}(?:{_FIRST}|{_REFUSED})",
            rf"有(?:生育|怀孕|备孕|结婚|婚育)(?:计划|打算)(?:{_FIRST}|{_REFUSED})",
            rf"(?<![男女子儿妇/、或和与及])[男女](?:性|士|生)?(?={_ROLE})",
            "(?<=[招聘])[男女](?=员工|职工|工人|同事)",
            *_sought_en(_MAN),
        ),
        _pattern(
            r"性别\s{0,2}(?:要求)?\s{0,2}[:：]?\s{0,2}(?:不限|无要求|无|男女不限|男女均可)",
            "(?:不限|不问)婚育|婚[育否](?:状况)?不限|不限性别|无性别(?:要求|限制)",
            "不[论分]男女",
            r"男[/、]?女(?:性)?(?:不限|均可|皆可|都可|都行|不拘)",
            r"(?<![a-z])(?:fe)?male ?(?:or|/|and) ?(?:fe)?male(?![a-z])",
        ),
        _pattern(
            "[已未]婚(?:[已未]育)?|[已未]育(?!种|苗|[秧雏成])",
            f"{_FOLK}|妇女|少女|性别(?:要求|限制)",
            rf"(?<![子儿处])[男女](?![{_SUITED}])(?:性|士|生|方|的|孩子?|子)?",
            "她们?|(?<![其吉排利维自无])他(?![人国项励山方杀乡律])们?",
            rf"(?<![a-z0-9-]){_MAN}(?:['’]s?)?",
            "(?:(?<=sales)|(?<=chair)|(?<=fore)|(?<=repair)|(?<=crafts)|(?<=police))(?:wo)?m[ae]n(?![a-z])",
            "(?<![a-z0-9一-鿿-])(?:s?he|him(?:self)?|hers?|herself)(?= [a-z]|['’/.,;]|$)",
            "(?<![a-z0-9一-鿿-])his(?= [a-z])(?! system)|(?<=he/)s?he(?![a-z])",
        ),
    ),
    Attribute(
        "age",
        "年龄",
        "age",
        "国办发〔2013〕35号",
        _pattern(
            rf"{_THEIR}(?:年龄|年纪|岁数)(?:要求|范围|限制|[上下]限|段)?\s{{0,2}}[:：]?\s{{0,2}}(?:控制)?[须需应在为是限]{{0,3}}\s{{0,2}}"
            rf"{_AT_MOST}?\s{{0,2}}(?:{_RANGE}|{_AGE})(?:\s{{0,2}}周?岁)?(?:{_BOUND})?{_OTHERS}",
            rf"{_RANGE}{_YEARS}(?:{_BOUND})?{_OTHERS}",
            rf"{_AT_MOST}\s{{0,2}}(?!1[68]){_AGE}{_YEARS}{_OTHERS}",
            # from 16 or 18 on is the law's own bound
            rf"(?!1[68]\s{{0,2}}周?岁\s{{0,2}}以上){_AGE}{_YEARS}{_BOUND}(?!\s{{0,2}}不限){_OTHERS}",
            rf"{_START}(?:{_AT_MOST}\s?{_BARE}|限{_BARE}(?:\s?周?岁)?|{_BARE}\s?{_BOUND}|{_BARE}岁封顶)(?:{_FIRST})?{_END}",
            rf"(?:(?:年|已)?满|超过|[大高]于)?(?!1[68]){_AGE}{_YEARS}(?:{_BOUND})?{_SEEKERS}(?:{_FIRST}|{_REFUSED})",
            rf"(?:{_NO}\s?{_BARE}\s?\+{_END}|{_BARE}\s?\+{_SEEKERS}{_REFUSED})",
            rf"[年已]满{_BARE}{_SEEKERS}{_REFUSED}|(?<!\d)[6-9][05]前{_SEEKERS}(?:{_FIRST}|{_REFUSED})",
            rf"(?:年龄|年纪)[偏较太]?[大小轻](?:{_FIRST}|{_REFUSED})",
            r"出生于\s?(?:19|20)\d\d年?(?:\d{1,2}月)?(?:\d{1,2}日)?[及或]?[以之]?[前后]",
            rf"(?:{_START}|(?<=candidates )|(?<=applicants )|(?<=graduates )|(?<=age )|(?<=must be ))(?:under|below) [2-5]\d"
            rf"(?: (?:only|preferred))?{_END_EN}",
            _sought("age", _BORN, _OLD, "年轻(?!化|态)(?:人|者|的)?(?:[男女](?:性|士|生|孩子?)?)?+"),
            rf"招\s{{0,2}}{_BORN}",
            r"(?:19|20)\d\d年?(?:\d{1,2}月)?(?:\d{1,2}日)?[及或]?[以之]?[前后](?:[（(]含[^）)]{0,8}[）)])?出生",
            r"(?<![a-z])(?<!children )(?<!students )(?<!kids )(?:aged?|ages)(?: limit)?(?: is| of)? ?[:：]? ?"
            "(?:(?:under|below|over|between|up to|from) )?"
            rf"\d{{2}}(?: ?(?:-|–|to|and) ?\d{{2}})?+(?!\d){_OTHERS_EN}",
            r"(?<![a-z])(?:under|below|over|up to) (?!1[68] )\d{2} years (?:old|of age)",
            r"(?<![a-z])(?:not?|never) (?:be )?(?:older than|over the age of) \d{2}(?!\d)",
            r"(?<![a-z])not?(?: be)? (?:more than|over|above) \d{2} years (?:old|of age)",
            r"(?<![a-z])(?:no ?one|nobody|no (?:applicants?|candidates?|people)) (?:over|under|above|below) [2-6]\d(?![\d%])",
            rf"(?<![a-z])(?:over|under)[ -][2-6]\ds{_SOUGHT_EN}",
            r"(?<![a-z])younger than \d{2}(?!\d)",
            r"(?<![a-z])born (?:(?:after|before|in or after) (?:19|20)\d\d|between (?:19|20)\d\d and (?:19|20)\d\d)(?!\d)",
            rf"(?<![a-z])\d{{2}} ?(?:-|–|to) ?\d{{2}} years (?:old|of age){_OTHERS_EN}",
            r"(?<![a-z])young(?:er)?(?: candidates?| applicants?| people)? (?:only|preferred)",
        ),
        _pattern(
            r"年龄\s{0,2}(?:要求)?\s{0,2}[:：]?\s{0,2}(?:不限|无要求|无限制)",
            "不限年龄|无年龄(?:要求|限制)",
            r"平均年龄\s{0,2}[为在约是]?\s{0,2}\d[\d\s.~—–至到-]{0,8}(?:周?岁)?",
            # of whom the work is for
            rf"{_WHOSE}(?:群体|画像)?的?(?:年龄[段层]?)?(?:主要|大多|多|集中)?[为是在以:：]{{1,2}}\s?"
            rf"(?:{_RANGE}|{_AGE})(?:{_YEARS})?(?:{_BOUND})?",
            r"(?<![a-z])(?:compan(?:y|ies)|people|patients|customers|users|adults|buildings) (?:aged )?"
            r"(?:over|under|above|below) \d{2}(?: years (?:old|of age))?",
        ),
        _pattern(
            rf"(?:{_RANGE}|\d{{1,2}}|[二三四五六]十[一二三四五六七八九]?){_YEARS}(?:{_BOUND})?(?:不限)?",
            _BORN,
            _OLD,
            "年轻(?!化)人?|年龄(?:要求|限制)",
            r"(?<![a-z])(?:(?:young|old)er than \d{2}|young(?:er)?|\d{2} years (?:old|of age))(?![a-z0-9])",
        ),
    ),
    Attribute(
        "ethnicity",
        "民族",
        "ethnicity",
        "就业促进法第二十八条",
        _pattern(
            _sought("ethnicity", _PEOPLE),
            rf"民族(?:要求|成分)?\s{{0,2}}(?:[:：]|为|是)\s{{0,2}}(?:{_PEOPLE}|(?:{_PEOPLES}){_END})",
            *_sought_en(_PEOPLES_EN),
        ),
        _pattern(r"民族\s{0,2}[:：]?\s{0,2}不限", r"不限民族"),
        _pattern(rf"{_PEOPLE}", rf"(?<![a-z0-9-]){_PEOPLES_EN}(?![a-z0-9-])"),
    ),
    Attribute(
        "hometown",
        "户籍",
        "hometown",
        "国办发〔2013〕35号",
        _pattern(
            rf"{_ONLY}\s{{0,2}}(?:(?![熟了办负])[一-鿿]){{0,6}}{_REGISTERED}(?:人员|人士)?",
            rf"[须需](?:要|有|具有|具备|持有?|是|为)*(?:(?![办迁落转解提熟了])[一-鿿]){{0,6}}{_REGISTERED}",
            _sought("hometown", _FROM),
            rf"(?:{_ORIGIN}(?:所在地|要求)?(?:在|是|为|限|[:：]|\s){{0,3}}(?![具字校文])|户[籍口](?:所在)?地?[在是为])[一-鿿]{{2,8}}?{_SEEKERS}"
            rf"(?:{_FIRST}|{_REFUSED})",
            rf"(?:户籍|户口|籍贯|祖籍|原籍|老家)(?:要求|所在地)?\s{{0,2}}"
            rf"(?:[:：]\s{{0,2}}(?![可不无解提办])[一-鿿]{{2,8}}|[为是](?![可不无解提办])[一-鿿]{{2,8}}{_END})",
            rf"(?:{_OUTSIDE}|省外|市外)(?:的|地)?{_SEEKERS}{_REFUSED}|{_NO}(?:{_OUTSIDE}){_SEEKERS}{_END}",
            rf"{_START}(?:(?:有|具有|具备|持有?)(?:{_PLACES}|{_CITIES}){{1,2}}|有?(?:本[地市省县]|当地))(?:户籍|户口){_END}",
            rf"户籍在(?:本[地市省县]|当地|[京沪津渝]|{_PLACES}|{_CITIES}){_END}",
            rf"{_START}local hukou{_END_EN}",
            *_sought_en("(?:natives|locals|local residents|outsiders)"),
            r"(?<![a-z])(?:[a-z]+ )?(?:hukou|household registration) (?:(?:is|are) )?"
            "(?:only|preferred|required|a must|holders)",
            r"(?<![a-z])(?:must|should) (?:have|hold) (?:an? )?(?:[a-z]+ )?hukou",
            rf"(?<![a-z])(?:must|should) be (?:an? )?(?:[a-z]+ )?(?:natives?|locals?|local residents?){_END_EN}",
        ),
        _pattern(r"(?:户籍|户口|籍贯)\s{0,2}[:：]?\s{0,2}不限", r"不限(?:户籍|户口|籍贯)", "无(?:户籍|户口)(?:要求|限制)"),
        _pattern(
            rf"(?P<origin>{_ORIGIN}(?:在|是|为|[:：]){{0,2}}\s?)?{_PLACE}{{1,3}}(?(origin)[人籍]?|(?:户[籍口]|籍(?!贯)|人士?{_PERSON}))",
            f"户籍|户口|籍贯|{_OF_CITY}",
            "(?<![a-z])(?:local )?hukou",
        ),
    ),
    Attribute(
        "photo",
        "照片",
        "a photo",
        "个人信息保护法第六条",
        _pattern(
            rf"(?:{_HANDED}|{_GIVEN})[^，。；、,;\n]{{0,8}}?{_FACE}(?:[一二两12]张)?",
            rf"{_HANDED}(?:(?!{_GOODS})[^，。；、,;\n]){{0,8}}{_PICTURE}",
            rf"(?:(?<=[请须需])|(?<=[须需]要)|(?<=务必)|(?<=简历)|(?<=简历[上中里])){_GIVEN}{_SELF}{{0,3}}{_PICTURE}",
            rf"{_GIVEN}(?=本人|个人|您|你|自己){_SELF}{{1,3}}{_PICTURE}",
            rf"{_START}带{_SELF}{{0,3}}{_PICTURE}{_END}|带照片的?简历",
            rf"(?:无|没有?|不[附带])(?:照片?|{_FACE})(?:的?简历)?(?:者|的)?(?:勿|不予|一律|免)",
            r"(?<![a-z])(?:attach|include|contain|enclose|send|submit|with(?= (?:an?|your) )"
            r"|(?:upload|provide)(?= (?:your|a recent) ))"
            rf" {_YOUR}{_PHOTO_EN}",
            rf"(?<![a-z])(?:cv|resume|application)s? with {_YOUR}{_PHOTO_EN}",
            rf"(?<![a-z])(?:recent )?{_PHOTO_EN} (?:(?:(?:is|are|must be) )?(?:required|a must|mandatory)"
            "|must be (?:attached|included|submitted))",
        ),
        _pattern("无需照片|不需照片|no photos?"),
        _pattern("生活照|证件照|[全半]身照|近照|登记照|免冠照|[一二两12]寸照"),
    ),
)
# One of them stands in whatever the patterns find. Most clauses have none, and the patterns look at the others alone.
_CLAUSE = re.compile(r"[^。；;！!？?.\n]+")
_LATIN_HINTS = (
    "(?:age[ds]?|b(?:oys?|orn)|c(?:hair|rafts)(?:wo)?m[ae]n|ethnic|fore(?:wo)?m[ae]n|g(?:irls?|entlem[ae]n)"
    "|h(?:e|im|imself|ers?|erself|is|ans?|uis?|mongs?|ukou|eadshots?)|k(?:azakhs?|irgiz|yrgyz)"
    "|l(?:adies|ocals?|ocal residents)|m(?:[ae]n|ongol(?:ian)?s?|anchus?|iaos?)|natives?|o(?:utsiders|lder than|ver)"
    "|p(?:hoto(?:graph)?s?|olice(?:wo)?m[ae]n)|repair(?:wo)?m[ae]n|s(?:he|ales(?:wo)?m[ae]n)|t(?:ibetans?|ujias?)|u(?:yghurs?|ighurs?|ygurs?)|wom[ae]n"
    "|y(?:oung(?:er)?|ears o(?:ld|f))|zhuangs?)(?![a-z])"
)
_ENDS = {name[-1] for name in regions.cities() | regions.counties()} | set(
    "津庆徽东西北南江外地省市区县州镇村乡蒙古汕家浙沪渝中广角"
)
_HINT = re.compile(  # every part begins with a character, none with a set: these are found ten times as fast
    "|".join(
        (
            *(
                "男",
                "女",
                "岁",
                "龄",
                "籍",
                "照",
                "族",
                "婚",
                "未育",
                "已育",
                "生育",
                "怀孕",
                "备孕",
                "单身",
                "离异",
                "丧偶",
                "生源",
                "老乡",
                "同乡",
                "性别",
                "0后",
                "5后",
                "户口",
                "出生",
                "年轻",
                "年纪",
                "她",
                "他(?<![其吉排利维自无]他)(?![人国项励山方杀乡律])",
            ),
            *(
                "小姐",
                "小哥",
                "先生",
                "帅哥",
                "少妇",
                "靓仔",
                "宝妈",
                "宝爸",
                "奶爸",
                "阿姨",
                "大姐",
                "大妈",
                "大叔",
                "大爷",
                "小伙",
                "姐姐",
                "哥哥",
                "弟弟",
                "妹",
                "汉子",
                "爷们",
                "姐妹们",
                "兄弟们",
                "姑娘",
                "妈妈",
                "爸爸",
            ),
            *(f"{bound}[2-5]\\d" for bound in ("过 ?", "于 ?", "满 ?", "到 ?", "≤ ?", "限", "under ", "below ")),
            "[2-5]\\d ?(?:以[下内]|及以下|左右)",
            f"人(?<=[{''.join(sorted(_ENDS))}]人){_PERSON}",
            "民(?<=[汉回藏蒙维苗彝壮瑶傣侗满]民)",
            "户(?<=[京津沪渝深穗]户)",
            *("老家", "家乡", "外[省地市县乡]", "[勿慎免别]投", "勿扰"),
            r"\+(?<=[2-5]\d\+)",
            "前(?<=[6-9][05]前)",
            "十(?:[一二三四五六七八九])? ?(?:$|以[下内]|及以下|左右|[,，;；、)）])",
            "male",
            *(f"{re.escape(before)}{_LATIN_HINTS}" for before in " /(,:\"'，、：（.。;；!！?？\n\t"),
        )
    )
)
_ALL = re.compile(
    "|".join(one.pattern for some in ATTRIBUTES for one in (some.said, some.asked))
    + "|"
    + "|".join(some.values.pattern for some in ATTRIBUTES),
    re.IGNORECASE,
)
_GAP = "\n"  # what stands on its two sides are no neighbours


def demands(text: str) -> Iterator[Demand]:
    """What a text asks of persons that it may not ask, one for each attribute that it names, with the words that do."""
    text = _SPACED.sub(_joined, text)
    if not _is_hinted(text):
        return
    told = _GAP.join(filter(_is_hinted, _CLAUSE.findall(text)))
    for attribute in ATTRIBUTES:
        if found := attribute.asked.search(attribute.said.sub(_GAP, told)):
            yield Demand(attribute, found[0].strip())


def without(text: str) -> str:
    """The text without what it says of these attributes; a gap stands in each place."""
    text = _SPACED.sub(_joined, text)
    return _CLAUSE.sub(_cut, text) if _is_hinted(text) else text


def _joined(spaced: re.Match[str]) -> str:
    """What is written with a blank behind each character, as it is read; only where a person is spoken of."""
    joined = spaced[0].replace(" ", "")
    return joined if _is_hinted(joined) else spaced[0]


def _cut(clause: re.Match[str]) -> str:
    return _ALL.sub(_GAP, clause[0]) if _is_hinted(clause[0]) else clause[0]


_SPACED = re.compile("(?<![一-鿿])[一-鿿](?: [一-鿿]){2,}(?![一-鿿])")  # `男 生 优 先`


def _is_hinted(text: str) -> bool:
    return _HINT.search(f" {text.lower()}") is not None
