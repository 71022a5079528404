import { dialogues, type Language, names, words } from './language.ts';

export const chinese: Language = {
  given: names(
    `伟/wei 芳/fang 静怡/jingyi 浩然/haoran 雨桐/yutong 子轩/zixuan 梅/mei 建国/jianguo 欣妍/xinyan 志强/zhiqiang 晓明/xiaoming 思远/siyuan`,
  ),
  family: names(`王/wang 李/li 张/zhang 陈/chen 刘/liu 林/lin 黄/huang 周/zhou 吴/wu 徐/xu`),
  fullName: (given, family) => `${family}${given}`,
  words: {
    day: words('周六 | 周日 | 明天 | 周五 | 下周三'),
    time: words('两点 | 三点半 | 七点 | 七点半'),
    place: words('体育馆 | 地铁站A口 | 公司楼下 | 老城区那家店 | 图书馆门口'),
    food: words('火锅 | 小笼包 | 酸菜鱼 | 牛肉面 | 麻辣烫'),
  },
  dialogues: dialogues(`
    # friends
    A: {day}有空吗？
    B: 有啊，怎么了？
    A: 一起去吃{food}吧
    B: 好呀！几点？
    A: {time}，{place}见

    A: 到家了吗？
    B: 刚到，路上堵了一个小时😂
    A: 那就好，早点休息

    A: 生日快乐！🎂
    B: 谢谢！{day}来我家吃蛋糕
    A: 必须的

    A: 面试怎么样？
    B: 感觉还行，问了很多项目的细节
    A: 等你的好消息💪
    B: 有消息第一个告诉你

    A: 你上次说的那本书叫什么来着？
    B: 《看不见的城市》
    A: 对对，我去图书馆借

    A: 今天降温了，多穿点
    B: 已经把羽绒服翻出来了
    A: 聪明

    # sport
    A: {day}打球的接龙：1. 我
    B: 2
    C: 3，我带新球
    A: {time}，{place}，三号场地
    D>1: 我可能晚十分钟，先别等我

    A: 昨天的球太精彩了
    B: 最后一局打了二十五分钟🏸
    C: 我今天胳膊都抬不起来
    A: 下次先热身😂

    A: 场地费每人三十，转我就行
    B: 已转
    C: 转了
    A: 收到🙏

    A: 有人要换拍线吗？我{day}去
    B: 我要，二十六磅
    A: 好的，拍子放{place}就行

    A: {day}下雨，要不要改室内？
    B: 我已经订了{place}
    C: 太靠谱了👍

    # food
    A: 求推荐{food}
    B: {place}那家，排队但是值得
    C: 同推荐，记得要少辣
    A>3: 我可以，谢谢提醒

    A: 周末包饺子，谁来？
    B: 我！我会擀皮
    C: 我会吃
    A: 那{day}{time}开工🥟

    A: 我妈寄来一箱橙子，根本吃不完
    B: 我可以帮忙解决
    A: {day}带到公司，先到先得🍊

    # world
    A: 大家好，我是新来的👋
    B: 欢迎欢迎！
    C: 你在哪个城市？
    A: 成都，最近天天下雨

    A: 今天的晚霞太美了
    B: 有照片吗？
    A: 手机拍不出来，眼睛记住了🌇

    A: 有没有人一起学西班牙语？
    B: 我学了三个月，还在“你好我叫”
    A: 已经比我多一句了😄

    A: 早上好，今天也要加油
    B: 早！咖啡已经泡好了☕
    C: 我需要两杯
  `),
};
