"""Demands of one kind are found however they are worded: who is asked for stands where postings put it. All are invented."""

import pytest

from codes import protected

FOUND = {
    "gender": """
        仅接受男同胞投递
        仅男性可应聘
        单身优先
        妹子优先
        更倾向于男性候选人
        以男性为主
        岗位仅面向男性
        只考虑男性应聘者
        招聘对象：男性
        男性研究生优先
        Females are preferred
        women will not be considered
        只收女同学
        限男同志
        须为女性
        优先考虑女生
        优先录用男性毕业生
        最好是男生
        最好女性
        倾向招聘女生
        偏向男生
        姐姐们优先
        小哥优先
        女孩子更合适
        女博士慎投
        男士请绕道
        女同志一律不考虑
        本岗位不考虑女性求职者
        仅面向女性求职者
        本岗位面向男性
        招募对象为女性
        以女生为主
        女性候选人将优先考虑
        男同学优先录用
        男性更有优势
        女性免投
        只录用男性
        仅录取女生
        不欢迎女性投递
        不适合女同学
        大叔勿扰
        爷们优先
        候选人须是男性
        首选女生
        女性应聘者请勿投递
        男性青年优先
        Preferably female
        Preference will be given to men
        Only male candidates will be considered
        Female applicants are strongly preferred
        Male applicants only
        We prefer female candidates
        Open to men only
        Looking for a male engineer
        Men are not considered
        Women should not apply
        男士请勿投递
        只招妹子
        仅限小姐姐投递
        招聘对象为女性，28岁以下
        只接收男性简历
        我们更偏爱女生
        女生免谈
        男的优先考虑
        女性同胞优先录取
        适合男生
        要求：男
        性别限男
        性别要求男
        限女
        要女生
        最好男生
        该岗位只招男
        men preferred
        male preferred but not required
        We are looking for female receptionists
        Women are not accepted
        female staff only
    """,
    "age": """
        年龄上限35
        年满35周岁者请勿投递
        不考虑35+
        年纪不超过三十
        35+勿扰
        born after 1995
        年龄不大于40
        岁数在30以内
        年纪35以下
        年龄上限：40岁
        年龄≤35
        40岁以上勿扰
        三十五岁以上不考虑
        已满40岁者慎投
        超过35岁的不予考虑
        只考虑35岁以下
        35岁以下者优先录用
        年龄限35周岁
        不招40+
        45+慎投
        仅限95后投递
        只考虑00后
        80后勿扰
        1990年后出生者优先
        大龄青年慎投
        高龄求职者免投
        年龄偏大者勿投
        年轻女性优先
        年轻候选人更佳
        更倾向于年轻人
        三十以下
        年龄要求三十五以内
        年龄在二十五到三十五之间
        Maximum age 35
        Age limit is 40
        born between 1990 and 2000
        over 35s need not apply
        no one over 40
        candidates aged under 30
        Applicants must be under 35
        年龄控制在30以内
        年龄不过40
        四十岁以上请绕道
        年满四十者勿投
        超过40岁不要
        85前勿扰
        只要95后
        招90后
        大龄求职者请绕行
        年纪轻优先
        年纪大的勿扰
        under 30 preferred
        Age below 35
        No applicants over 40
    """,
    "ethnicity": """
        民族：汉
        回民勿投
        汉族学生优先
        藏族同学优先录用
        维族勿扰
        汉民优先
        蒙古族毕业生优先
        仅限汉族人士
        只考虑汉族
        须为汉族
        藏民慎投
        不考虑少数民族
        优先考虑壮族
        民族要求：汉族
        民族为汉
        汉民族人士优先
        维吾尔族应聘者请勿投递
        彝族人不招
        朝鲜族候选人优先考虑
        仅面向汉族
        以汉族为主
        不要回族
        限汉民
        苗族姑娘优先
        倾向于汉族候选人
        Tibetans will not be considered
        Han candidates are preferred
        preference given to Han
        Ethnicity: Hui
        维吾尔族不要
        拒收藏族
        不接收彝族
        哈萨克族人士优先
        民族: 满族
        仅考虑汉民
        壮族考生优先
        Hui people will not be considered
    """,
    "hometown": """
        祖籍潮汕优先
        本地人或有房者优先
        江西人或福建人优先
        外省慎投
        海淀人优先
        义乌人勿投
        京户优先
        仅限沪户
        籍贯广东者优先
        祖籍为山东的优先考虑
        昆山户口者优先
        只考虑本地人
        外地户籍免投
        河南籍应聘者请勿投递
        湖北人慎投
        朝阳区户籍优先
        不考虑东北人
        仅面向上海户籍
        限浙江籍人士
        倾向于本地人
        老家在四川的优先
        安徽籍毕业生优先录用
        原籍本市者优先
        优先考虑绍兴人
        外地人一律不考虑
        不招外省人
        限本地生源
        须为本省户籍
        以本地人为主
        户籍要求：本市
        户口所在地为北京
        温岭人优先
        顺德户籍者优先
        Shanghai locals are preferred
        Outsiders will not be considered
        Beijing hukou holders preferred
        仅招本市户口
        浙江户籍优先
        东莞人优先
        河北的勿投
        外乡人不要
        四川老乡优先
        限江西籍
        籍贯湖南优先
        户籍地为上海者优先
        只招本省人
        谢绝河南人
        不收东北籍
        福建籍优先考虑
        青岛本地户口优先
        常住户口在本市优先
        Only locals will be considered
        must be a Beijing native
    """,
    "photo": """
        简历贴照片
        须提交一寸免冠照
        请附上免冠照
        请附个人照片
        简历上请贴近照
        需提供本人近期照片
        简历中须附照片一张
        请上传本人证件照
        带照片的简历优先
        投递简历请带照片
        务必提供全身照
        附两寸免冠照片
        请发送生活照
        提交二寸照片
        无照片简历不予考虑
        简历请附清晰正面照
        resume must include a photo
        CV with photo
        please submit a passport photo
        a recent photograph must be attached
        贴一寸照
        简历附照片
        附本人生活照
        随简历附上照片
        请在简历中插入照片
        投递时须上传个人形象照
        请提供近三个月照片
        Photos are required
        CV must contain a photo
    """,
}
NONE = """
    女性健康产品经理
    儿童教育
    带照片墙的展厅设计
    负责给客户拍照片并上传照片
    35岁以下青年科学基金数据分析
    客户群体为25-35岁女性
    民族音乐
    藏医药
    汉语言文学
    上海户籍管理系统开发
    客户以女性为主
    团队以男性为主，氛围好
    面向女性的健身课程
    产品面向男性用户
    优先考虑女性用户的需求
    用户画像为20-30岁男性
    目标人群：18-35岁
    服务对象为60岁以上老人
    受众年龄在25到40岁之间
    照片墙设计
    整理现场照片，提交照片资料
    给商品拍照并上传照片
    证件照拍摄与精修
    提供婚纱照片精修
    简历模板设计，照片排版
    民族舞蹈教师
    少数民族语言文学
    收藏民间艺术品
    水族馆饲养员
    返回民宿核对
    汉服运营
    藏书管理，维保
    北京人工智能研究院
    上海人才服务中心
    朝阳人民医院护士
    义乌小商品市场客服
    苏州园区出差
    外地出差，外省项目
    外省出差较多者慎投
    不接受外地出差者勿投
    京剧演员，沪剧
    客户祖籍潮汕的饮食文化研究
    其他岗位，吉他教师，排他锁
    35+国家的业务
    产品线35+
    服务35+城市
    负责人优先
    熟悉户籍政策者优先
    混凝土龄期试验
    低龄儿童英语
    高龄老人护理
    妹子饭店运营
    姐姐妹妹品牌
    小哥配送系统
    籍贯字段校验
    面向海内外招聘
    年龄分层分析，年龄上限字段
    不超过三十人
    三十以上案例
    汉族服饰设计
    维修民用飞机
    以项目为主
    Female health products
    women in tech community
    born in the cloud
    companies over 40 years old
    photo gallery with photos
    upload photos to the gallery
    men's health magazine editor
    people over 60 years old care
    local outsourcing
    We are looking for a manager
    age-related disease research
    客户户口本资料审核
    居民户口登记
    个体工商户优先
    农户调研，商户拓展
    用户优先，客户优先
    供应商不要女装
    团队年轻，年轻化
    老家具修复
    家在路上平台运营
    对象存储：熟悉OSS
    女鞋导购，男鞋设计
    适合女性的护肤品开发
    优先考虑男装品类经验
    女性向游戏策划，男频小说编辑
    女生宿舍管理员
    负责女子监狱信息化
    帮助妇女就业项目
    面向大学生的课程，优先考虑有经验者
    适合年轻人的社交产品
    以年轻人为主的客群
    年龄识别算法
    30岁以上人群健康管理
    不超过35人
    40以上分贝
    回民食堂厨师
    藏族音乐研究
    朝鲜语翻译优先
    维语翻译优先
    蒙古语优先
    傣族舞蹈教学
    满族文化研究者优先
    收集民族资料，民族大学
    重庆火锅店，四川人家
    上海人社局项目经验优先
    北京人寿
    广东人保系统
    杭州市民卡业务
    户外运动爱好者优先
    网店用户、农户、储户、商户优先服务
    深户外墙
    京籍列车
    外省项目经验优先
    外地客户维护
    外市出差勿虑
    照片后期处理优先
    提供客户照片修图
    上传照片功能开发
    需熟悉照片处理软件
    人脸照片采集
    相册照片排版
    带队拍照片
    附项目照片
    必须提供证明照片审核功能
    photo editing skills required
    photographer required
    women's shoes only
    open to men and women
    born digital company
    he/she will be responsible
    over 30 years of company history
    up to 20 years of experience
"""
PAIRS = """
    祖籍潮汕优先/祖籍闽南优先
    海淀人/朝阳人
    义乌人/昆山人
    年纪不超过三十/年纪不超过五十
    回民优先/汉民优先
    维族优先/藏族优先
    妹子优先/小哥优先
    姐姐/哥哥
    大龄青年/高龄青年
    京户/沪户
    民族：汉/民族：回
    她是应届生/他是应届生
    弟弟/妹妹
    男同胞/女同胞
    年龄上限35/年龄上限45
    不考虑35+/不考虑40+
    老家四川优先/老家湖南优先
    籍贯：江苏/籍贯：山西
    她们/他们
    岁数30以下/岁数40以下
    born after 1995/born before 1980
    汉民族/藏民族
    温岭人/慈溪人
    昆山户口/太仓户口
    仅接受男同胞投递/仅接受女同胞投递
    以男性为主/以女性为主
    Females are preferred/Males are preferred
    民族为汉/民族为回
    傣族姑娘/汉族小伙
    浦东户籍/太仓户籍
    祖籍：福建/祖籍：广东
    请附免冠照/请附一寸照
"""


def _lines(told: str) -> list[str]:
    return [line.strip() for line in told.strip().split("\n")]


@pytest.mark.parametrize(("attribute", "text"), [(name, line) for name, told in FOUND.items() for line in _lines(told)])
def test_a_demand_is_found_in_other_words(attribute: str, text: str) -> None:
    assert attribute in [demand.attribute.name for demand in protected.demands(text)]
    assert attribute in [demand.attribute.name for demand in protected.demands(f"负责记账。{text}，熟悉税法")]


@pytest.mark.parametrize("text", _lines(NONE))
def test_what_speaks_of_the_work_or_its_customers_is_no_demand(text: str) -> None:
    assert not list(protected.demands(text))


@pytest.mark.parametrize("pair", _lines(PAIRS))
def test_one_for_the_other_is_read_the_same(pair: str) -> None:
    one, other = (protected.without(f"会计，{said}") for said in pair.split("/"))
    assert one == other


@pytest.mark.parametrize(
    "text",
    [
        "儿童教育",
        "民族音乐",
        "藏医药",
        "汉语言文学",
        "带照片墙的展厅设计",
        "其他岗位，吉他教师",
        "北京人工智能",
        "武汉子公司",
        "广州人资",
    ],
)
def test_a_word_of_another_thing_stays(text: str) -> None:
    assert protected.without(text) == text


@pytest.mark.parametrize(
    "text", ["男" + "的" * 20_000, "汉族" + "者的" * 9000, "上海" * 9000 + "人", "仅限" * 9000, "祖籍" * 9000]
)
def test_what_repeats_itself_is_read_soon(text: str) -> None:
    assert not list(protected.demands(text))
