"""Clean answers, written for these tests: ten languages and the code languages that are judged."""

PROSE = {
    "en": (
        "Glass starts as sand, soda ash and limestone, melted together at about 1,500 °C. The melt cools so quickly "
        "that its atoms never find the order of a crystal. That is why a window looks solid and still has the "
        "structure of a liquid — a fact people often misunderstand. It doesn't flow at room temperature, not even "
        "over centuries."
    ),
    "de": (
        "Brot braucht nur Mehl, Wasser, Salz und etwas Zeit. Der Teig ruht über Nacht im Kühlen, damit er Geschmack "
        "entwickelt. Am Morgen wird er geformt und in einem heißen Ofen gebacken, bis die Kruste kräftig bräunt. "
        "Größere Laibe bleiben länger frisch als kleine Brötchen."
    ),
    "fr": (
        "La mer recule deux fois par jour et découvre un paysage de sable et de rochers. Les pêcheurs connaissent "
        "l'horaire des marées par cœur, « c'est notre horloge », disent-ils. En été, les enfants ramassent des "
        "coquillages où l'eau vient de partir."
    ),
    "es": (
        "El tren sale muy temprano y atraviesa la llanura antes del amanecer. ¿Quién no ha soñado con mirar por la "
        "ventana mientras cambia el paisaje? Los viajeros comparten café, historias y silencio hasta llegar a la "
        "montaña, donde el aire es más frío."
    ),
    "pt": (
        "A cidade acorda devagar, com o cheiro de pão quente e o som das primeiras carroças. Não há pressa nenhuma nas "
        "ruas estreitas. Os vizinhos conversam à janela e as crianças correm para a escola com os cadernos debaixo do "
        "braço."
    ),
    "it": (
        "La bottega del falegname profuma di legno e di colla. Ogni sedia nasce da un disegno semplice e da molte ore "
        "di lavoro paziente. Quando il cliente arriva, l'artigiano gli mostra prima le venature e poi il prezzo, "
        "perché la qualità si vede con gli occhi."
    ),
    "ru": (
        "Осенью лес становится тихим и прозрачным. Листья падают на тропинку, и каждый шаг слышен издалека. Старик "
        "собирает грибы с детства и знает все поляны в округе. Вечером он возвращается домой с полной корзиной."
    ),
    "zh": (
        "茶树喜欢温暖湿润的山坡，清晨的雾气让嫩叶更加柔软。采茶的人天不亮就出发，只摘一芽两叶。鲜叶经过摊晾、杀青、"
        "揉捻和烘干，才变成杯中的清香。好的绿茶不需要滚烫的水，八十度左右最合适，泡两三分钟就可以慢慢品尝了。"
    ),
    "ja": (
        "冬の朝、湖の水面には薄い氷が張っています。漁師たちは小さな舟を出す前に、まず空の色を確かめます。風が弱い日は"
        "遠くの山までよく見えて、鳥の声も聞こえてきます。「今日はきっとたくさん獲れるよ」と、年を取った漁師が笑いました。"
    ),
    "th": (
        "ตลาดเช้าเปิดก่อนพระอาทิตย์ขึ้นทุกวัน แม่ค้าจัดผักและผลไม้เป็นกองเล็ก ๆ อย่างเป็นระเบียบ ลูกค้าประจำเดินมาซื้อของ"
        "และพูดคุยกันเรื่องอากาศ เด็กนักเรียนแวะซื้อขนมก่อนไปโรงเรียน ตอนสายตลาดก็เงียบลงอีกครั้ง"
    ),
    "ar": (
        "يستيقظ المزارع قبل شروق الشمس ويمشي إلى الحقل. يزرع القمح في الخريف ويحصده في بداية الصيف. تساعده الأسرة كلها "
        "في موسم الحصاد، ثم يجتمع الجيران في المساء حول الشاي والخبز، ويتحدثون عن المطر والأيام القادمة."
    ),
    "ko": (
        "할머니의 부엌에는 언제나 된장 냄새가 은은하게 퍼져 있었다. 우리는 방학이 되면 기차를 타고 시골집으로 "
        "내려갔다. 마당에서 고추를 말리고 저녁에는 옥수수를 삶아 먹었다. 밤이 되면 별이 쏟아질 듯이 많이 보였다."
    ),
}

FOREIGN = {
    "de": "Am Abend sitzen wir gern auf der Terrasse und erzählen uns alte Geschichten aus der Schulzeit.",
    "fr": "Nous avons décidé de partir demain matin parce que la route sera plus calme et plus agréable.",
    "pt": "Os meninos foram para a praia depois da escola porque fazia muito calor naquela tarde.",
    "es": "La semana que viene vamos a pintar la casa y necesitamos comprar todo lo necesario.",
    "it": "Domani mattina andiamo al mercato per comprare la frutta e la verdura della settimana.",
}

SCRIPTS = {
    "ru": ("Cyrl",),
    "zh": ("Hani",),
    "ja": ("Jpan",),
    "th": ("Thai",),
    "ar": ("Arab",),
    "ko": ("Kore",),
}

CODE = {
    "python": (
        "import math\n\n\ndef area(radius: float) -> float:\n"
        '    """Area of a circle."""\n    return math.pi * radius**2\n\n\nprint([area(r) for r in range(3)])\n'
    ),
    "json": '{"name": "Mira", "tags": ["a", "b"], "size": {"w": 2.5, "h": null}, "ok": true}\n',
    "toml": 'title = "demo"\n\n[server]\nport = 8080\nhosts = ["a", "b"]\n',
    "yaml": "name: demo\nsteps:\n  - run: build\n    env: {A: 1}\n  - run: test\n",
    "javascript": (
        "const sum = (xs) => xs.reduce((a, b) => a + b, 0);\n\nasync function load(url) {\n"
        "  const answer = await fetch(url);\n  return answer?.ok ? answer.json() : null;\n}\n"
    ),
    "typescript": (
        "interface Point { x: number; y: number }\n\nexport function norm<T extends Point>(p: T): number {\n"
        "  return Math.hypot(p.x, p.y);\n}\n"
    ),
    "go": (
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tfor i := 0; i < 3; i++ {\n'
        '\t\tfmt.Printf("%d\\n", i*i)\n\t}\n}\n'
    ),
    "rust": (
        "use std::collections::HashMap;\n\nfn count(words: &[&str]) -> HashMap<String, usize> {\n"
        "    let mut seen = HashMap::new();\n    for word in words {\n"
        "        *seen.entry(word.to_string()).or_insert(0) += 1;\n    }\n    seen\n}\n"
    ),
    "java": (
        "import java.util.List;\n\npublic class Stack<T> {\n    private final List<T> items = new ArrayList<>();\n\n"
        "    public void push(T item) {\n        items.add(item);\n    }\n}\n"
    ),
    "c": (
        "#include <stdio.h>\n\nint main(void) {\n    for (int i = 0; i < 3; i++) {\n"
        '        printf("%d\\n", i);\n    }\n    return 0;\n}\n'
    ),
    "cpp": (
        "#include <vector>\n\ntemplate <typename T>\nT total(const std::vector<T>& xs) {\n    T sum{};\n"
        "    for (const auto& x : xs) sum += x;\n    return sum;\n}\n"
    ),
    "bash": (
        '#!/usr/bin/env bash\nset -euo pipefail\n\nfor file in "$@"; do\n'
        '    if [[ -f "$file" ]]; then\n        wc -l "$file"\n    fi\ndone\n'
    ),
    "sql": (
        "SELECT c.name, COUNT(*) AS orders\nFROM customers c\nJOIN orders o ON o.customer_id = c.id\n"
        "WHERE o.total > 10\nGROUP BY c.name\nORDER BY orders DESC;\n"
    ),
    "html": (
        '<!DOCTYPE html>\n<html lang="en">\n<head><title>Tea</title></head>\n<body>\n'
        '  <ul class="list"><li>Green</li><li>Black</li></ul>\n  <img src="cup.png" alt="A cup">\n</body>\n</html>\n'
    ),
    "css": (
        "body {\n  margin: 0;\n  color: #333;\n}\n\n@media (max-width: 40em) {\n"
        "  .list > li:hover { display: none; }\n}\n"
    ),
}
