import { dialogues, type Language, names, words } from './language.ts';

export const japanese: Language = {
  given: names(`さくら/sakura 健太/kenta 陽菜/hina 大輔/daisuke 美咲/misaki 翔/sho 結衣/yui 直樹/naoki`),
  family: names(`佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 渡辺/watanabe 山本/yamamoto 中村/nakamura`),
  fullName: (given, family) => `${family} ${given}`,
  words: {
    day: words('土曜日 | 明日 | 来週 | 日曜日 | 金曜日'),
    time: words('12時 | 11時半 | 19時 | 10時'),
    place: words('駅前 | 神保町 | いつもの店 | 公園の入口'),
    food: words('カレー | ラーメン | お寿司 | うどん | オムライス'),
  },
  dialogues: dialogues(`
    # friends
    A: {day}、ひま？
    B: うん、空いてるよ
    A: 映画でも見ない？
    B: いいね！何時にする？
    A: {time}に{place}で

    A: 無事に着いた？
    B: 今着いた！電車がすごく混んでた
    A: お疲れさま🙏

    A: お誕生日おめでとう🎉
    B: ありがとう！{day}にケーキ食べよう
    A: 楽しみ！

    A: あの本、もう読んだ？
    B: あと50ページ。犯人がまだわからない
    A: 言わないでおくね😏

    # food
    A: 今日のお昼どうする？
    B: {food}の気分
    C: 賛成！
    A: じゃあ{time}に{place}集合

    A: 新しい{food}の店、行ってきた
    B: どうだった？
    A: 並んだけど最高だった😋
    C>3: 今度連れてって

    A: {day}のランチ、参加の人は？
    B: 参加します🙋
    C: 少し遅れますが行きます
    A: 了解です。席を取っておきます

    A: お弁当を忘れた…
    B: {food}、一緒に行く？
    A: 行く！助かる

    # world
    A: おはようございます☀️
    B: おはようございます！そちらは晴れですか
    A: はい、とてもいい天気です

    A: 猫が朝五時に起こしてくる
    B: うちは四時です
    A: 負けました😹

    A: 桜が咲き始めました🌸
    B: 写真が見たいです！
    A: 帰りに撮ってきますね
  `),
};
