import { dialogues, type Language, names, words } from './language.ts';

export const english: Language = {
  given: names(
    `Alice Ben Chloe Daniel Ella Finn Grace Harry Isla Jack Kate Liam Maya Noah Olivia Peter Quinn Ruby Sam Tess`,
  ),
  family: names(
    `Adams Baker Carter Doyle Evans Foster Green Hughes Irving Jones Kelly Lewis Morgan Nolan Owens Parker`,
  ),
  fullName: (given, family) => `${given} ${family}`,
  words: {
    day: words('Saturday | Sunday | tomorrow | Friday | next weekend'),
    time: words('8:30 | nine | half past ten | 7 pm | six sharp | noon'),
    place: words(
      'the north car park | Mill Bridge | the station | the bakery on Elm Street | the old quarry',
    ),
    food: words('banana bread | a lentil curry | lemon cake | pierogi | cheese scones | a big pot of chili'),
    film: words(
      'the one about the lighthouse | that heist film | the new space thing | the documentary about crows',
    ),
    thing: words('the drill | my tent | the projector | the board game | your umbrella | the spare keys'),
    service: words('checkout | the mail worker | the search index | billing | the image resizer'),
  },
  dialogues: dialogues(`
    # friends
    A: Are you around {day}?
    B: Should be, what's the plan?
    A: Thinking of {film}, then food
    B: Yes please. {time}?
    A: {time} works 👍

    A: Did you get home alright?
    B: Just in. Took an hour, the trains were a mess
    A: 😅 glad you made it
    B: Thanks for dinner, it was so good

    A: I still have {thing}, by the way
    B: Keep it till {day}, no rush
    A: You're a star ⭐

    A: How did the interview go??
    B: Better than expected, I think! They kept me twice as long as planned
    A: That's a good sign
    B: They'll call {day}. I'm not going to look at my phone until then
    A: You will look at it every five minutes
    B: …yes

    A: Happy birthday!! 🎉
    B: Thank you!! Cake {day} if you want some
    A: Do I ever say no to cake

    A: Have you seen {film}?
    B: Last week. No spoilers, but stay till the end of the credits
    A: Now I'm curious

    A: Can you talk?
    B: In ten minutes
    A: Nothing bad, just want your opinion on a flat

    A: I finally fixed the bike
    B: The one that was "nearly done" in March?
    A: That one, yes 😌

    # outdoors
    A: Weather looks good {day}. Ridge trail?
    B: I'm in. What time?
    A: Meet at {place}, {time}
    C: Count me in, I'll bring {food}
    B>4: best news of the week 🙌

    A: Path by the lake is still closed, I went past this morning
    B: Again? Then the long way round, it is 4 km more
    C: Longer way has the better view anyway
    A: Good boots then, it's muddy

    A: Photos from the walk are in the shared album 📷
    B: The one with the fog!! 😍
    C: Who took it?
    A: Pure luck, and a cold finger

    A: Who has room in the car {day}?
    B: Two seats. I leave from {place} at {time}
    C: One for me please
    D: And one for me if it's still free
    B>4: all yours

    A: Reminder: bring a head torch, it is dark by five
    B: And spare batteries, last time was an adventure
    C: We do not talk about last time 😂

    # work
    A: Deploying {service} in ten minutes, shout if that's a bad moment
    B: Go ahead, nothing running on my side
    A: Done. Error rate flat, latency a bit better even
    C: Nice one 🚀

    A: {service} was slow between two and three last night. Anyone looking?
    B: Looking. A backup ran at the same time, moved it to four
    A: Thanks. I'll watch it tonight
    B>1: note is in the incident doc

    A: Standup moves to {time} tomorrow, half of us are at the dentist apparently
    B: 🦷
    C: Not me, I am just slow

    A: Who can review the change to {service}? It's small, honest
    B: How small?
    A: 40 lines, half of them tests
    B: I'll do it after lunch
    C: Two comments, otherwise 👍

    A: The customer demo went really well
    B: Did they ask about exports?
    A: First question. I showed the new page and they were happy
    C: Then it was worth the late evening 🎉

    A: I wrote down how we do on-call swaps, please read before Friday
    B: Read it. Can we add who to ask in holidays?
    A: Added

    A: Test for {service} fails every tenth time
    B: It waits for a second instead of for the thing itself
    A: You've seen that before
    B: I wrote it 🙈

    # food
    A: Made {food} yesterday, far too much
    B: I can help with that problem
    C: Recipe please?
    A: Onions slowly, everything else fast. Will type it up {day}

    A: Which of you has the big pan?
    B: Me, want it {day}?
    A: Yes, cooking for eight 😬
    B: Brave

    A: New place opened next to {place}
    B: Any good?
    A: Small menu, all of it good. Go for the dumplings
    C: Table for four {day}?
    B: Yes!

    A: Secret ingredient guesses?
    B: Cinnamon
    C: Coffee
    A>3: correct!
    B: Never would have guessed

    # home
    A: Whoever finished the milk: there's a new one in the fridge, it has a name on it
    B: The name is "milk"
    A: 🙃

    A: Plumber comes {day} at {time}, somebody has to be in
    B: I can work from home
    C: Thank you, I owe you one
    A: Great, I'll tell him

    A: Has anyone seen {thing}?
    B: Cupboard by the door, second shelf
    A: Found it, thanks

    A: Rent and electricity are paid, the sheet is up to date
    B: 🙏
    C: Sent you my part just now

    A: Can we please not run the washing machine after eleven
    B: Sorry, that was me
    A: No worries, the neighbours wrote a very polite letter

    # world
    A: Hello everyone, greetings from a rainy harbour town 🌧️
    B: Welcome! Here it's 34 degrees, want to trade?
    A: Any day

    A: What are you all listening to this week?
    B: A lot of old jazz, it helps with focus
    C: Rain sounds, does that count?
    A: It counts

    A: Does anybody know a good book about trains? It's for my dad
    B: There is one about the longest lines of the world, with great pictures
    C: Ask at the library, ours made him a list
    A>2: that sounds just right, thank you!

    A: Small wins of the day?
    B: Fixed the kitchen drawer
    C: Ran 5 km without stopping 🏃
    D: I answered all of my mail
    A>4: that is not a small one

    A: First snow here this morning ❄️
    B: Already?!
    C: Picture please
    A: As soon as my fingers work again

    A: How do you say "good luck" where you live?
    B: ¡Suerte!
    C: 加油！
    D: Удачи!
    A: Love this place

    A: Is it just me or did this week have nine days
    B: At least ten
    C: Tea helps

    A: I'm learning to juggle. The lamp did not survive
    B: Start with scarves, they fall slowly
    A: Where were you yesterday
  `),
};
