# Le cadre de toutes les pages.
skip = Aller au contenu
navigation = Site
languages = Langue
nav-docs = Documentation
nav-api = Référence de l'API
nav-console = Console
request-id = Identifiant de la requête :
to-docs = Vers la documentation

failure-not-found = Cette page n'existe pas
failure-not-found-explanation = L'adresse est peut-être mal saisie, ou ce qu'elle désignait n'existe plus.
failure-method = Ce n'est pas possible ici
failure-method-explanation = La page existe, mais n'accepte pas ce qui lui a été envoyé.
failure-server = Une erreur s'est produite
failure-server-explanation = Vous n'y êtes pour rien. Réessayez dans un instant et, si cela persiste, indiquez l'identifiant de la requête.
failure-request = Cette requête ne peut pas être traitée
failure-request-explanation = Revenez en arrière, rechargez la page et réessayez.

# La page qui montre le document de l'API.
reference-title = Référence de l'API
reference-operations = Opérations
reference-introduction = Toutes les routes de l'API, avec ce qu'elles prennent et ce qu'elles répondent. « Authorize » prend un jeton, oublié quand vous quittez la page ; « Try it out » envoie alors de vraies requêtes. La référence elle-même est en anglais.
reference-document = La même chose sous forme de document OpenAPI
reference-no-script = La référence a besoin de JavaScript. Le document OpenAPI dit la même chose.
nothing-here = Il n'y a rien sur cette page.
