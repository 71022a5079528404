import { dialogues, type Language, names, words } from './language.ts';

export const spanish: Language = {
  given: names(`Lucía Mateo Sofía Diego Valeria Andrés Carmen Javier Elena Pablo Inés Hugo`),
  family: names(`García López Navarro Ruiz Ortega Molina Vega Castro Peña Reyes`),
  fullName: (given, family) => `${given} ${family}`,
  words: {
    day: words('el sábado | mañana | el domingo | el viernes'),
    time: words('las nueve | las ocho y media | la una | las siete'),
    place: words('la plaza | la estación | el mercado | casa de mi tía | la fuente'),
    food: words('una tortilla | arroz con pollo | empanadas | gazpacho | un flan enorme'),
  },
  dialogues: dialogues(`
    # friends
    A: ¿Qué haces {day}?
    B: Nada todavía, ¿por?
    A: Vamos a cenar por {place}, apúntate
    B: ¡Hecho! ¿A qué hora?
    A: A {time}

    A: ¿Llegaste bien?
    B: Sí, por los pelos, pero llegué 😅
    A: Menos mal

    A: ¡Feliz cumpleaños! 🎂
    B: ¡Gracias! {day} hay tarta para todos
    A: Allí estaré

    A: ¿Viste el partido?
    B: Ni me hables… en el último minuto
    A: Yo ya estaba celebrando 🙈

    A: Tengo una noticia
    B: ¿Buena o mala?
    A: Buenísima, te la cuento {day} en persona
    B: ¡No me puedes dejar así!

    # food
    A: Hoy toca {food}, ¿quién se anima?
    B: Yo llevo el pan
    C: Y yo el hambre
    A: Perfecto, {day} a {time}

    A: ¿Cuánto tiempo dejáis reposar la masa?
    B: Toda la noche en la nevera
    A: Por eso la mía parece una piedra 😂
    C>2: y un poco de miel, hazme caso

    A: En {place} tienen tomates de los de verdad
    B: ¿De los que huelen?
    A: De esos 🍅
    C: Voy ahora mismo

    A: ¿Receta de {food}?
    B: La de mi abuela, pero no da cantidades: «hasta que esté»
    C: Las abuelas y sus medidas 😄
    A: Me vale, la pruebo {day}

    A: Se me quemó todo
    B: ¿Otra vez?
    A: Esta vez fue el teléfono, os estaba escribiendo
    C: Culpa nuestra entonces

    # world
    A: ¡Buenos días desde Valencia! ☀️
    B: ¡Buenos días! Aquí todavía es de noche
    A: Entonces buenas noches 🌙

    A: ¿Alguien más aprende a tocar la guitarra?
    B: Yo, desde hace un mes. Mis vecinos lo saben
    C: Tres acordes y ya somos un grupo 🎸

    A: Recomendadme una película para {day}
    B: Una comedia vieja, nunca falla
    C: Pon palomitas y decide el gato
  `),
};
