"""Spanish for every sentence a relying party shows; English is the key. A test finds what is missing."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "es")

SPANISH: Final[Mapping[str, str]] = {
    # Layout
    "Skip to content": "Saltar al contenido",
    "Acting for %(name)s": "Actúa en nombre de %(name)s",
    "Switch Provider": "Cambiar de proveedor",
    "Sign in": "Iniciar sesión",
    "Sign out": "Cerrar sesión",
    "Need help?": "¿Necesita ayuda?",
    "Error": "Error",
    "Back to the start page": "Volver a la página de inicio",
    # Landing
    "One sign-in serves every portal. You choose for whom you act; we never see your password.": (
        "Un solo inicio de sesión sirve para todos los portales. Usted elige en nombre de quién actúa; nosotros nunca "
        "vemos su contraseña."
    ),
    "Welcome, %(name)s": "Le damos la bienvenida, %(name)s",
    "What you can do here": "Lo que puede hacer aquí",
    "Account": "Cuenta",
    "After signing in": "Después de iniciar sesión",
    "In your access": "Dentro de su acceso",
    "Not in your access": "Fuera de su acceso",
    "For you": "Para usted",
    "My profile and access": "Mi perfil y acceso",
    "Who you are, for whom you act, and what this portal was told.": (
        "Quién es usted, en nombre de quién actúa y qué se le comunicó a este portal."
    ),
    "Payment details": "Datos de pago",
    "Asks you to sign in again, whoever sits at the keyboard.": (
        "Le pide iniciar sesión de nuevo, sea quien sea la persona frente al teclado."
    ),
    "Fresh sign-in": "Inicio de sesión reciente",
    "Change where payments go": "Cambiar la cuenta de los pagos",
    "Asks for a second step of the last 15 minutes, even where signing in does not.": (
        "Pide un segundo paso de los últimos 15 minutos, aunque el inicio de sesión no lo pida."
    ),
    "Second step": "Segundo paso",
    "You proved a second step within the last 15 minutes, so this page is open.": (
        "Completó un segundo paso en los últimos 15 minutos, por eso esta página está abierta."
    ),
    "A second step is needed here": "Aquí se necesita un segundo paso",
    "You are signed in, but by a password alone or by a weaker code. Set up an app, a passkey or text messages in your account, then come back.": (
        "Inició sesión, pero solo con la contraseña o con un código más débil. Configure una aplicación, una llave de "
        "acceso o mensajes de texto en su cuenta y vuelva."
    ),
    "Ways to sign in": "Formas de iniciar sesión",
    # Acting
    "You act for": "Usted actúa en nombre de",
    "Provider ID": "ID de proveedor",
    "NPI": "NPI",
    "Tax ID": "Identificación fiscal",
    "Type": "Tipo",
    "Trading partner ID": "ID de socio comercial",
    "Trading partner %(id)s": "Socio comercial %(id)s",
    "Practice with Tax ID %(tin)s": "Consultorio con identificación fiscal %(tin)s",
    "Nobody in particular": "Nadie en particular",
    "practitioner": "profesional",
    "group": "grupo",
    # Me
    "Who I am": "Quién soy",
    "My details": "Mis datos",
    "Name": "Nombre",
    "User name": "Nombre de usuario",
    "E-mail": "Correo electrónico",
    "Signed in at": "Inicio de sesión",
    "Assurance": "Nivel de garantía",
    "My access": "Mi acceso",
    "You hold no access level here.": "Usted no tiene ningún nivel de acceso aquí.",
    "What this portal was told": "Lo que se le comunicó a este portal",
    "These are the claims in the tokens as they were received.": (
        "Estas son las declaraciones de los tokens, tal como se recibieron."
    ),
    "ID token": "Token de identidad",
    "UserInfo": "UserInfo",
    "Access token: header": "Token de acceso: encabezado",
    "Access token: content": "Token de acceso: contenido",
    "This access token is opaque: it says nothing to us.": (
        "Este token de acceso es opaco: a nosotros no nos dice nada."
    ),
    "Claim": "Declaración",
    "Value": "Valor",
    "The same as JSON": "Lo mismo en JSON",
    # Guarded pages
    "You may work here because your access includes “%(level)s”.": (
        "Puede trabajar aquí porque su acceso incluye “%(level)s”."
    ),
    "Everything on this page is done for %(name)s.": "Todo en esta página se hace en nombre de %(name)s.",
    "Your access does not include this page": "Su acceso no incluye esta página",
    "It takes the access level “%(level)s”. Your account manager can give it to you.": (
        "Se necesita el nivel de acceso “%(level)s”. El administrador de su cuenta puede otorgárselo."
    ),
    "If you act for several providers, you may hold it for another one.": (
        "Si actúa en nombre de varios proveedores, es posible que lo tenga para otro."
    ),
    "Claim number": "Número de reclamación",
    "Service date": "Fecha de servicio",
    "Status": "Estado",
    "Paid": "Pagada",
    "In review": "En revisión",
    "Nothing is waiting for you here.": "No hay nada pendiente para usted aquí.",
    "You signed in again a moment ago, so this page is open for five minutes.": (
        "Acaba de iniciar sesión de nuevo, por lo que esta página está disponible durante cinco minutos."
    ),
    "Payments go to the account that ends in %(digits)s.": "Los pagos se envían a la cuenta que termina en %(digits)s.",
    # Sign-out
    "Where do you want to sign out?": "¿Dónde desea cerrar sesión?",
    "One sign-in serves several portals, so there are two ways to leave.": (
        "Un solo inicio de sesión sirve para varios portales, por eso hay dos maneras de salir."
    ),
    "This portal only": "Solo en este portal",
    "You stay signed in at the other portals.": "Su sesión sigue abierta en los demás portales.",
    "Sign out of this portal": "Cerrar sesión en este portal",
    "Everywhere": "En todas partes",
    "Every portal that you opened with this sign-in ends too. Choose this on a shared computer.": (
        "También se cierran todos los portales que abrió con este inicio de sesión. Elija esta opción en un equipo "
        "compartido."
    ),
    "Sign out everywhere": "Cerrar sesión en todas partes",
    "Stay signed in": "Mantener la sesión abierta",
    "Signed out": "Sesión cerrada",
    "You are signed out of this portal. Other portals may still be open.": (
        "Cerró sesión en este portal. Es posible que otros portales sigan abiertos."
    ),
    "You are signed out everywhere.": "Cerró sesión en todas partes.",
    "Sign in again": "Iniciar sesión de nuevo",
    # What can go wrong
    "Your access ended": "Su acceso terminó",
    "You were signed out elsewhere, or your access to this provider changed. Sign in again to see your access.": (
        "Se cerró su sesión en otro lugar o cambió su acceso a este proveedor. Inicie sesión de nuevo para ver su "
        "acceso."
    ),
    "You were not signed in": "No se inició la sesión",
    "You, or the provider of your sign-in, said no. Nothing was shared with this portal.": (
        "Usted, o el servicio de inicio de sesión, no lo autorizó. No se compartió nada con este portal."
    ),
    "You are not signed in yet. Sign in to go on.": "Todavía no ha iniciado sesión. Inicie sesión para continuar.",
    "One more step is needed. Sign in to go on.": "Falta un paso más. Inicie sesión para continuar.",
    "Choose for whom you act. Sign in to go on.": "Elija en nombre de quién actúa. Inicie sesión para continuar.",
    "This page asks for a stronger sign-in than yours.": "Esta página pide un inicio de sesión más seguro que el suyo.",
    "The sign-in service is busy. Try again in a minute.": (
        "El servicio de inicio de sesión está ocupado. Inténtelo de nuevo en un minuto."
    ),
    "The sign-in service did not accept this portal’s request. Please call the help line.": (
        "El servicio de inicio de sesión no aceptó la solicitud de este portal. Llame a la línea de ayuda."
    ),
    "This sign-in cannot be finished here": "Este inicio de sesión no puede completarse aquí",
    "It was started in another browser or too long ago. Start again; nothing is lost.": (
        "Se inició en otro navegador o hace demasiado tiempo. Empiece de nuevo; no se pierde nada."
    ),
    "We could not trust the answer": "No pudimos confiar en la respuesta",
    "What came back from the sign-in was not what we asked for, so nobody was signed in.": (
        "Lo que se recibió del inicio de sesión no es lo que pedimos, por lo que no se inició ninguna sesión."
    ),
    "Sign-in is not reachable": "El inicio de sesión no está disponible",
    "That link does not lead here": "Ese enlace no lleva aquí",
    "It names another sign-in service or another site. Use the menu instead.": (
        "Indica otro servicio de inicio de sesión u otro sitio. Use el menú."
    ),
    "This page does not exist": "Esta página no existe",
    "The address may be mistyped, or the page has moved.": (
        "Es posible que la dirección esté mal escrita o que la página se haya movido."
    ),
    "This page cannot be used that way": "Esta página no se puede usar de esa manera",
    "Go back to the start page and try from there.": "Vuelva a la página de inicio e inténtelo desde allí.",
    "Something went wrong on our side": "Algo falló de nuestro lado",
    "Nothing you entered was changed. Try again in a minute.": (
        "No se modificó nada de lo que escribió. Inténtelo de nuevo en un minuto."
    ),
    "This form was open too long": "Este formulario estuvo abierto demasiado tiempo",
    # Partner
    "Connect your provider account": "Conecte su cuenta de proveedor",
    "You decide what %(name)s may see, for one provider at a time, and you can take it back whenever you like.": (
        "Usted decide qué puede ver %(name)s, para un proveedor a la vez, y puede retirarlo cuando quiera."
    ),
    "Connect": "Conectar",
    "Disconnect": "Desconectar",
    "Connected": "Conectado",
    "What we may see": "Lo que podemos ver",
    "Your name": "Su nombre",
    "The provider you act for, its NPI and provider ID": (
        "El proveedor en cuyo nombre actúa, su NPI y su ID de proveedor"
    ),
    "Its Tax ID": "Su identificación fiscal",
    "Your access levels at the portal we work with": "Sus niveles de acceso en el portal con el que trabajamos",
    "All this also when you are away": "Todo esto también cuando usted no está",
    "What our API answers": "Lo que responde nuestra API",
    "The API checked the access token by itself and answered for this provider only.": (
        "La API comprobó el token de acceso por sí misma y respondió solo para este proveedor."
    ),
    "What we do by ourselves": "Lo que hacemos por cuenta propia",
    "For providers that approved us in writing we ask with our own key, with nobody signed in.": (
        "Para los proveedores que nos aprobaron por escrito preguntamos con nuestra propia clave, sin que nadie inicie "
        "sesión."
    ),
    "Ask for claims": "Consultar reclamaciones",
    "Answer": "Respuesta",
    "Not approved for this provider.": "Sin aprobación para este proveedor.",
    "Start": "Inicio",
    "paid": "pagada",
    "in review": "en revisión",
    "denied": "rechazada",
    "You disconnected": "Se desconectó",
    "We can no longer see anything of yours.": "Ya no podemos ver nada suyo.",
}


def say(sentence: str, *, language: str, **values: object) -> str:
    """`sentence` in `language`, with the values put in; what is not translated stays English."""
    text = SPANISH.get(sentence, sentence) if language == "es" else sentence
    return text % values if values else text


def localized(text: Mapping[str, str], *, language: str) -> str:
    """A manifest's text in `language`, else in English, else nothing."""
    return text.get(language) or text.get("en", "")
