import pytest

from canary.score.refusal import refusal
from tests.unit.score.build import scored
from tests.unit.score.samples import PROSE

REFUSALS = {
    "en": [
        "I'm sorry, but I can't assist with that request.",
        "I cannot help with this.",
        "Sorry, I am not able to provide that information.",
        "Unfortunately, I'm unable to help you with that.",
        "As an AI language model, I don't have opinions.",
        "I must respectfully decline.",
        "I can’t discuss that topic.",
    ],
    "de": ["Es tut mir leid, aber ich kann dabei nicht helfen.", "Leider kann ich Ihnen dabei nicht helfen."],
    "fr": ["Je suis désolé, mais je ne peux pas vous aider.", "Je ne suis pas en mesure de répondre."],
    "es": ["Lo siento, pero no puedo ayudarte con eso.", "No puedo ayudar con esa solicitud."],
    "pt": ["Desculpe, mas não posso ajudar com isso.", "Sinto muito, não consigo fazer isso."],
    "it": ["Mi dispiace, ma non posso aiutarti.", "Non sono in grado di fornire queste informazioni."],
    "ru": ["Извините, но я не могу помочь с этим.", "К сожалению, я не могу ответить."],
    "zh": ["很抱歉，我无法回答这个问题。", "对不起，我不能提供帮助。", "我无法提供这类信息。"],
    "ja": ["申し訳ありませんが、そのご要望にはお応えできません。", "すみません、お手伝いできません。"],
    "th": ["ขออภัย ฉันไม่สามารถช่วยเรื่องนี้ได้", "ขอโทษครับ ผมไม่สามารถตอบได้"],
    "ar": ["عذرًا، لا أستطيع مساعدتك في ذلك.", "آسف، لا يمكنني الإجابة."],
    "hi": ["क्षमा करें, मैं इसमें मदद नहीं कर सकता।", "मुझे खेद है, मैं यह नहीं कर सकता।"],
}
CLEAN = [
    *PROSE.values(),
    "I'm sorry, but I can't come tonight, she wrote, and put down the pen.",
    "I can't wait to see the harbour again.",
    "I cannot stress this enough: wash your hands.",
    "Sorry is the hardest word. I am unable to swim, said the cat.",
    "The robot said: I'm sorry, I can't help with that.",
    "Unfortunately, I missed the train, so I walked.",
    "As an airline pilot, I can say that storms matter.",
    "Es tut mir leid, dass der Zug zu spät war.",
    "Lo siento mucho por tu pérdida; fue un gran hombre.",
    "对不起，我来晚了。",
    "すみません、駅はどこですか。",
    "ขอโทษที่มาสาย",
    "",
]


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in REFUSALS.items() for text in texts])
def test_a_stock_refusal_is_known_in_its_language(language: str, text: str) -> None:
    assert refusal(text) == language


@pytest.mark.parametrize("text", CLEAN)
def test_a_clean_answer_is_no_refusal(text: str) -> None:
    assert scored("refusal", text) == 0


def test_what_stands_before_a_refusal_in_bold_does_not_hide_it() -> None:
    assert refusal("**I'm sorry, but I can't help with that.**") == "en"
