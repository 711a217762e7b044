"""How the people of the portal are spread: ages, genders, prefectures, occupations, hours, devices. Numbers only.

What belongs here: integer weights, close to those of Japan. What does not: drawing from them. Keys are those of the
policy's categories, in the order given here; a test holds them against the policy.
"""

from __future__ import annotations

AGE_BANDS = ("u20", "20s", "30s", "40s", "50s", "60s", "70+", "unknown")
AGE_SPANS = ((15, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 69), (70, 86))
AGE_WEIGHTS = (85, 165, 180, 190, 165, 115, 85, 15)

GENDERS = ("female", "male", "other", "unknown")
GENDER_WEIGHTS = (485, 485, 12, 18)
GENDER_TERMS = (("女性", "女", "female", "F"), ("男性", "男", "male", "M"), ("その他", "other"), ("",))

# Millions of inhabitants, times a hundred.
PREFECTURE_WEIGHTS = {
    "hokkaido": 510,
    "aomori": 118,
    "iwate": 116,
    "miyagi": 226,
    "akita": 91,
    "yamagata": 102,
    "fukushima": 177,
    "ibaraki": 282,
    "tochigi": 190,
    "gunma": 190,
    "saitama": 733,
    "chiba": 626,
    "tokyo": 1409,
    "kanagawa": 923,
    "niigata": 213,
    "toyama": 101,
    "ishikawa": 111,
    "fukui": 74,
    "yamanashi": 80,
    "nagano": 200,
    "gifu": 193,
    "shizuoka": 355,
    "aichi": 748,
    "mie": 173,
    "shiga": 141,
    "kyoto": 254,
    "osaka": 877,
    "hyogo": 537,
    "nara": 130,
    "wakayama": 89,
    "tottori": 54,
    "shimane": 65,
    "okayama": 185,
    "hiroshima": 274,
    "yamaguchi": 130,
    "tokushima": 70,
    "kagawa": 93,
    "ehime": 129,
    "kochi": 67,
    "fukuoka": 510,
    "saga": 80,
    "nagasaki": 127,
    "kumamoto": 171,
    "oita": 110,
    "miyazaki": 104,
    "kagoshima": 155,
    "okinawa": 147,
}
PREFECTURES = (*PREFECTURE_WEIGHTS, "unknown")
UNKNOWN_PREFECTURE_WEIGHT = 180

OCCUPATION_TERMS: dict[str, tuple[str, ...]] = {
    "management": ("会社役員", "管理職"),
    "professional": ("エンジニア", "看護師", "教員", "専門職", "デザイナー", "医師"),
    "clerical": ("会社員", "事務職", "公務員", "経理"),
    "sales": ("営業職", "販売職", "店員"),
    "service": ("サービス業", "介護職", "調理師", "美容師"),
    "security": ("警備員", "自衛官"),
    "agriculture": ("農業", "漁業"),
    "production": ("製造業", "工員"),
    "transport": ("運転手", "ドライバー"),
    "construction": ("建設業", "電気工事"),
    "labour": ("清掃", "倉庫作業"),
    "student": ("大学生", "高校生", "学生"),
    "homemaker": ("専業主婦", "主婦", "主夫"),
    "none": ("無職", "年金生活者"),
    "other": ("自営業", "パート", "アルバイト", "フリーランス"),
    "unknown": ("", "宇宙旅行者"),
}
OCCUPATIONS = tuple(OCCUPATION_TERMS)
# By age band, in the order of OCCUPATIONS.
OCCUPATION_WEIGHTS = (
    (0, 1, 2, 4, 6, 1, 0, 3, 0, 1, 1, 70, 1, 1, 6, 3),
    (1, 16, 20, 12, 11, 2, 1, 7, 2, 3, 3, 14, 3, 3, 8, 3),
    (2, 19, 23, 11, 9, 2, 1, 8, 3, 4, 3, 1, 9, 2, 8, 3),
    (4, 18, 24, 10, 9, 2, 1, 8, 4, 4, 4, 0, 9, 2, 9, 3),
    (6, 16, 23, 9, 9, 2, 1, 8, 4, 4, 5, 0, 10, 4, 9, 3),
    (4, 8, 12, 6, 7, 2, 3, 5, 4, 3, 6, 0, 15, 22, 12, 3),
    (2, 2, 2, 2, 2, 1, 5, 1, 1, 1, 3, 0, 16, 56, 6, 4),
    (3, 14, 19, 9, 9, 2, 1, 7, 3, 3, 4, 5, 9, 10, 8, 14),
)

INDUSTRIES = (
    "情報通信",
    "製造",
    "小売",
    "医療・福祉",
    "教育",
    "金融・保険",
    "建設",
    "運輸",
    "飲食・宿泊",
    "官公庁",
    "",
)
INTERESTS = (
    "旅行",
    "料理",
    "映画",
    "音楽",
    "読書",
    "スポーツ観戦",
    "登山",
    "園芸",
    "投資",
    "ゲーム",
    "写真",
    "手芸",
    "健康",
    "車",
)
PAYMENTS = ("クレジットカード", "銀行振込", "携帯電話料金合算", "コンビニ払い")

# Requests by hour of the day, by age band: the young late at night, the old early in the morning.
HOURS = (
    (30, 18, 8, 3, 2, 3, 12, 30, 22, 12, 12, 16, 30, 20, 14, 24, 40, 46, 48, 54, 66, 74, 70, 52),
    (28, 16, 8, 4, 3, 5, 16, 36, 40, 30, 28, 32, 52, 36, 28, 30, 32, 38, 46, 54, 64, 72, 68, 48),
    (18, 10, 5, 3, 3, 8, 24, 44, 46, 36, 34, 36, 56, 38, 32, 32, 32, 36, 42, 50, 60, 66, 54, 34),
    (14, 8, 4, 3, 4, 12, 32, 50, 50, 42, 38, 38, 58, 40, 34, 34, 34, 36, 44, 52, 62, 62, 48, 28),
    (10, 6, 3, 3, 6, 20, 42, 54, 52, 46, 44, 44, 58, 44, 38, 38, 38, 40, 46, 54, 60, 54, 38, 20),
    (6, 4, 3, 4, 12, 34, 56, 60, 56, 56, 56, 52, 54, 52, 50, 48, 46, 46, 48, 52, 50, 40, 24, 12),
    (4, 3, 3, 6, 22, 48, 62, 64, 64, 66, 62, 54, 48, 54, 58, 54, 48, 44, 42, 44, 38, 24, 12, 6),
    (16, 10, 6, 4, 5, 12, 30, 44, 46, 40, 38, 40, 52, 40, 34, 34, 36, 38, 44, 50, 58, 60, 48, 28),
)

# Desktop, mobile, tablet, by age band.
DEVICES = (
    (10, 84, 6),
    (18, 78, 4),
    (26, 68, 6),
    (34, 58, 8),
    (44, 46, 10),
    (52, 36, 12),
    (54, 30, 16),
    (32, 60, 8),
)
