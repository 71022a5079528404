import { dialogues, type Language, names, words } from './language.ts';

export const korean: Language = {
  given: names(`민준/minjun 서연/seoyeon 지훈/jihoon 하은/haeun 도윤/doyun 수아/sua 현우/hyunwoo 지우/jiwoo`),
  family: names(`김/kim 이/lee 박/park 최/choi 정/jung 강/kang 윤/yoon`),
  fullName: (given, family) => `${family}${given}`,
  words: {
    day: words('토요일 | 내일 | 일요일 | 다음 주'),
    time: words('한 시 | 두 시 반 | 일곱 시 | 열한 시'),
    place: words('강남역 | 학교 앞 | 그 카페 | 공원'),
    food: words('떡볶이 | 냉면 | 김치찌개 | 삼겹살 | 칼국수'),
  },
  dialogues: dialogues(`
    # friends
    A: {day}에 시간 있어?
    B: 응, 왜?
    A: {food} 먹으러 가자
    B: 좋아! 몇 시?
    A: {time}, {place}에서 봐

    A: 잘 들어갔어?
    B: 방금 도착했어. 차가 너무 막혔어 😭
    A: 고생했어, 푹 쉬어

    A: 생일 축하해! 🎂
    B: 고마워! {day}에 케이크 먹자
    A: 당연하지

    A: 시험 어땠어?
    B: 생각보다 쉬웠어
    A: 역시! 결과 나오면 알려 줘

    A: 이 노래 들어 봤어?
    B: 아니, 누구 노래야?
    A: 신인인데 목소리가 정말 좋아
    B: 퇴근길에 들어 볼게 🎧

    # food
    A: 점심 뭐 먹을까요?
    B: {food} 어때요?
    C: 저도 좋아요
    A: 그럼 {time}에 {place}에서 만나요

    A: 집에서 {food} 만들어 봤어요
    B: 맛있었어요?
    A: 생긴 건 이상한데 맛은 최고 😂

    # world
    A: 안녕하세요, 반갑습니다!
    B: 반가워요! 어디 사세요?
    A: 부산이요. 바다가 가까워요 🌊

    A: 오늘 하늘이 정말 예뻐요
    B: 여기도요! 가을이네요 🍁

    A: 주말에 등산 가시는 분?
    B: 저요! 이번에는 낮은 산으로요
    A: 네, 저번 산은 너무 높았어요 😅
  `),
};
