"""What skills are called 技能名称: the data that `skills` reads texts by.

Source: our own reading of how postings write, with the names that the things themselves have; no list was taken over. A
name stands here only where rules (`skills.canonical`: case, width, spaces, hyphens, versions, `.js`) do not bring two writings
together.
"""

from collections.abc import Mapping
from types import MappingProxyType

_WRITINGS = {  # the one that stands for all → others, in their normal form
    "c": "c语言",
    "c++": "cpp cplusplus c++语言",
    "c#": "csharp c#.net",
    "r": "r语言",
    "go": "golang go语言",
    "javaee": "j2ee",
    "android": "安卓",
    "javascript": "js",
    "typescript": "ts",
    "css": "css3",
    "vue": "vue2 vue3 vue2.0 vue3.0",
    "jdk": "jdk8 jdk1.8",
    "spring": "spring框架",
    "kubernetes": "k8s",
    "postgresql": "postgres pgsql",
    "sqlserver": "mssql mssqlserver",
    "mongodb": "mongo",
    "elasticsearch": "es",
    "machinelearning": "机器学习",
    "deeplearning": "深度学习",
    "plc": "可编程控制器 可编程逻辑控制器",
    "cad": "autocad 计算机辅助设计",
    "3dsmax": "3dmax",
    "photoshop": "ps",
    "illustrator": "ai绘图",
    "ug": "ugnx nx",
    "proe": "pro/e creo",
    "mcu": "单片机",
    "办公软件": "office 办公自动化 office办公软件 msoffice officesoftware wps",
    "excel": "excel表格 电子表格",
    "ppt": "powerpoint",
    "英语四级": (  # of both the lower one is what is asked for
        "cet4 cet4/6 大学英语四级 英语4级 国家英语四级 英语四六级 英语四、六级 英语四/六级 英语四和六级 "
        "大学英语四六级 大学英语四、六级"
    ),
    "英语六级": "cet6 大学英语六级 英语6级 国家英语六级",
    "驾驶证": "驾照 机动车驾驶证 驾驶执照 drivinglicence drivinglicense driver'slicense",
    "电工证": "电工操作证 电工上岗证 电工作业证",
    "焊工证": "焊工操作证 焊工上岗证",
    "护士资格证": "护士执业证 护士证 护士执业资格证",
    "教师资格证": "教师证 教师资格证书",
    "会计证": "会计从业资格证 会计上岗证 会计资格证",
}
NAMES: Mapping[str, str] = MappingProxyType({other: name for name, others in _WRITINGS.items() for other in others.split()})
"""Another writing → the one that stands for all of them."""

NO_SKILL = frozenset(
    """
        kpi it hr app bug bugs vip ok pc cto ceo cfo coo hrbp pk top offer title base team leader email qq wechat tel http
        https www com am pm rmb usd no nb gb b2b b2c o2o to tob toc gmv roi dau mau ip id sop demo internet plus please
        the and or of for with in on at a an we you our your is are be will must have good strong excellent new big senior
        junior boss hi hello style case communication attitude player degree years year ability motivated passion detail
        pressure learner bachelor master diploma deadline interpersonal willing flexible candidate work role position
        hard play experience skills knowledge environment time following responsibility verbal written teams
    """.split()  # noqa: SIM905 (a list that people read and edit)
)
"""Latin words that postings are full of, and that are no skill."""

QUALITIES = tuple(
    """
        沟通 表达 自学 团队 责任 精神 心态 意识 思维 执行力 抗压 压力 吃苦 敬业 亲和 品德 气质 素养 素质 态度 作风 自律
        耐心 上进 进取 协调 协作 合作 应变 领悟 适应 情绪 性格 文字功底 口齿 时间管理 独立 自我 职业操守 职业道德 诚信
        保密 身体 五官 学历 专业 同行 相关 同类 类似 行业 公司 岗位 工作 任职 薪 领导 问题 兴趣 热情 热爱 洞察 敏感 敏锐
        天赋 人脉 毕业 本科 大专 经验 优先 要求 以上 左右 加班 出差 学位 人际 理解力 面试
    """.split()  # noqa: SIM905
)
"""What posts ask of everybody, and what they say of themselves: a piece that holds one of these says nothing of the work."""

GENERIC = tuple(
    """
        方法 方式 框架 工具 技术 语言 编程 开发 规范 流程 原理 机制 特性 操作 命令 组件 控件 编码 配置 协议 平台 思想 理论
        概念 应用 标准 体系 内容 环境 方案 作用 进展 类型 进度 周期 趋势 特点 关系 意义 影响 情况 现状 目标 要点 区别 规律
    """.split()  # noqa: SIM905
)
"""Words that name no skill, however many of them stand together (`开发工具`)."""

GENERIC_ALONE = tuple(
    """
        优化 布局 调试 设计 管理 性能 架构 维护 总结 产品 项目 安全 函数 分析 测试 数据 市场 服务 业务 执行 系统 软件 调优
        实际 实战 计算机 动态 政策 法规 制度 知识 信息 文档 报告 代码 需求 客户 用户 使用 实施 部署 解决 处理 判断 计划
        组织 控制 策略 运行 结构 功能 模块 技巧 指令 规则 学习 创新 理解 逻辑 逻辑分析 分析总结 总结分析 写作 资源 形象
        健康 方法论 综合 修改 脚本 解决方案 业务领域 交流 思考 识别 研究 推广 工程 移动 规定 策划 规划 动手
        核心 抽象 交付 认识 认知 整理 浏览 查询 配置 思路 环节 简单 培训 习惯 理念 适配 安装 监控 日常维护 实际动手 周边资源
    """.split()  # noqa: SIM905
)
"""Words that name no skill where they stand alone (`管理`, but `项目管理`)."""
