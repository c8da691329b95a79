"""Characters of names in their traditional forms and variants, and the simplified ones: 歐陽 is 欧阳.

Surnames (百家姓 and common ones beyond) and characters that are often in given names; not all of the script, which takes a
dictionary. Both sides of a comparison are put in one form, so a sign that stands for two (范 also for 範) does no harm.
"""

_PAIRS = (
    "歐欧陽阳張张陳陈劉刘趙赵錢钱孫孙吳吴鄭郑馮冯衛卫蔣蒋韓韩楊杨許许呂吕嚴严華华謝谢鄒邹喩喻竇窦雲云蘇苏範范魯鲁韋韦"
    "馬马鳳凤鮑鲍費费賀贺羅罗畢毕鄔邬樂乐時时齊齐龐庞紀纪項项顧顾黃黄蕭萧閔闵貝贝計计談谈龔龚駱骆閻阎閆闫鍾钟鐘钟盧卢賈贾"
    "婁娄葉叶應应鄧邓單单諸诸陸陆榮荣儲储聞闻莊庄曉晓連连習习饒饶闕阙關关車车遊游蓋盖顏颜郟郏譚谭勞劳祿禄東东溫温鄺邝"
    "龍龙師师鞏巩聶聂簡简養养須须豐丰權权興兴蘭兰藍蓝賴赖圖图萬万薊蓟審审遲迟喬乔黨党賓宾厙厍湯汤邊边閭闾鮮鲜於于長长"
    "軒轩轅辕獨独龜龟淩凌達达運运過过邁迈遠远選选偉伟強强軍军國国麗丽艷艳濤涛傑杰鵬鹏飛飞紅红蓮莲慶庆輝辉燦灿嬌娇潔洁"
    "穎颖靜静澤泽詩诗夢梦寧宁寶宝貴贵財财發发義义禮礼順顺進进開开勝胜學学業业漢汉爾尔愛爱戀恋樹树銀银銘铭鋒锋鋼钢鐵铁"
    "鎮镇錦锦鈞钧銳锐鴻鸿鶴鹤鷹鹰鳴鸣憲宪懷怀恆恒揚扬擇择曄晔暉晖會会來来倫伦億亿優优儀仪儉俭勁劲勳勋勛勋協协參参啟启"
    "啓启喚唤嘯啸囑嘱壯壮奐奂奮奋婭娅媽妈嫻娴嵐岚嶺岭島岛崢峥帥帅幹干庫库廣广彥彦徑径從从復复憶忆戰战撫抚棟栋楨桢樺桦"
    "橋桥檢检歡欢歲岁氣气沖冲淵渊滿满潤润瀾澜瀅滢灝灏煒炜煥焕燁烨爭争獻献瑋玮瑤瑶璽玺瓊琼畫画矯矫碩硕祐佑禎祯種种穩稳"
    "節节築筑純纯紹绍綠绿綺绮維维緒绪緣缘縱纵績绩繼继纓缨纖纤聖圣聯联聰聪肅肃臨临藝艺蘊蕴衆众裡里覺觉譽誉讓让豔艳"
    "貞贞資资賢贤質质軼轶輕轻輔辅輪轮辭辞農农鄉乡醫医釗钊鈴铃鋭锐錚铮鎔镕閃闪閣阁闊阔際际隨随難难雙双雋隽霽霁韜韬韻韵"
    "預预領领頌颂頎颀風风馳驰駿骏騰腾驍骁驊骅驥骥鯤鲲鵑鹃鷺鹭麥麦齡龄"
)
_SIMPLIFIED = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))


def simplified(text: str) -> str:
    """The text with these characters in their simplified form."""
    return text.translate(_SIMPLIFIED)
