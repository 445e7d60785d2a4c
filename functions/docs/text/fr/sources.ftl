# Les sources, leurs jetons et les réglages de l'organisation.
sources-lead = Une source est l'origine des données : une application, un système, un partenaire. Un programme qui envoie les fiches d'une source a son propre jeton, qui ne permet rien d'autre.
sources-none = Il n'y a pas encore de source. Le premier jeton ou la première importation en crée une.
sources-caption = Les jetons sont désignés par leur identifiant : leur contenu n'a été montré qu'une fois.
sources-more = Autres sources
sources-first = Premières sources
source-hint = Un nom formé de a-z, 0-9 et _, 32 caractères au plus. Un nouveau nom crée une nouvelle source.
source-unknown = Cette source n'existe pas.
to-sources = Vers les sources
tokens = Jetons
tokens-none = aucun jeton
tokens-revoked = { $count ->
    [0] Aucun jeton n'a été révoqué : il n'en restait pas.
    [one] Un jeton est révoqué. Il n'ouvre plus rien.
   *[other] { $number } jetons sont révoqués. Ils n'ouvrent plus rien.
}
token-id = Identifiant du jeton
token-for = Jeux de données
token-by = Créé par
token-new = Nouveau jeton
token-own-source = uniquement avec la source « { $source } », sans autre jeu de données
token-datasets-hint = Ce que le jeton permet d'envoyer et de relire.
token-no-datasets = Choisissez au moins un jeu de données.
token-grant = Créer le jeton
token-made = Le jeton est créé
token-once = Copiez le jeton maintenant : il n'est montré que cette fois. Conservez-le là où vous gardez vos mots de passe.
token-of = Jeton de la source { $source }
token-use = Comment l'utiliser
token-use-explained = Placez le jeton dans la variable TOKEN de l'environnement du programme, puis :
token-revoke = Révoquer
token-revoke-all = Tout révoquer
token-revoke-title = Révoquer un jeton de { $source } ?
token-revoke-all-title = Révoquer tous les jetons de { $source } ?
token-revoke-explained = Les programmes qui s'en servent sont aussitôt refusés. La source et ses fiches restent.
token-revoke-button = Révoquer ce jeton
token-revoke-all-button = Révoquer tous les jetons

console-settings = Réglages
settings = Réglages et clés
settings-lead = La forme des pseudonymes, le sort des colonnes inconnues, les clés de chiffrement
settings-saved = Les réglages sont enregistrés.
settings-read-only = Seules les personnes qui ont le droit workspace:admin peuvent les modifier.
settings-save = Enregistrer les réglages
settings-pseudonyms = Pseudonymes
settings-pseudonyms-hint = Ils ne peuvent changer que tant qu'il n'y a pas de fiche : la même personne en aurait deux.
pseudonyms-sha256 = SHA-256 simple : d'autres systèmes peuvent calculer les mêmes, mais on peut retrouver un numéro de téléphone en essayant.
pseudonyms-hmac-sha256 = À clé (HMAC-SHA-256, conseillé) : personne ne peut les calculer sans la clé de votre organisation.
settings-unknown = Colonnes qu'aucun champ ne connaît
settings-unknown-hint = Une colonne qui ressemble à un champ personnel mal écrit arrête le fichier dans tous les cas.
unknown-keep = Les conserver, chiffrées, sous « custom »
unknown-drop = Les laisser de côté
unknown-reject = Refuser le fichier
keys = Clés de chiffrement
keys-lead = Les champs personnels sont chiffrés avec la clé de votre organisation, dont il peut exister plusieurs versions.
keys-caption = Les versions de la clé, la plus récente d'abord. Les clés elles-mêmes ne sont pas affichées.
keys-list = Afficher les versions
keys-list-hint = L'audit en garde la trace, comme d'une lecture des clés.
keys-rotate = Créer une nouvelle version
keys-rotate-hint = Elle sert à ce qui est écrit dès maintenant. Les versions plus anciennes déchiffrent toujours.
keys-rotated = Il y a une nouvelle version de la clé.
keys-rewrap = Tout chiffrer à nouveau
keys-rewrap-hint = Une tâche amène toutes les fiches à la version la plus récente. À partir du lendemain de la création de celle-ci, elle retire aussi les plus anciennes.
key-version = Version
key-active = sert à l'écriture
key-older = déchiffre les valeurs plus anciennes
key-retired = retirée

problem-too_many_tokens = Une source a 10 jetons au plus. Révoquez-en un qui ne sert plus.
problem-source_of_dataset = Les fiches de contacts et de profiles ont chacune leur propre source : choisissez ce jeu de données seul, avec sa source.
problem-invalid_source = Le nom d'une source a 1 à 32 caractères parmi a-z, 0-9 et _.
problem-reserved_source = Cette source est réservée aux fiches d'une autre interface. Choisissez un autre nom.
problem-pseudonyms_in_use = Votre organisation a des fiches dont les pseudonymes ont été faits de l'autre manière. Cela ne peut changer que tant qu'il n'y en a pas.
problem-import_under_way = Une importation n'est pas terminée, ou attend un fichier annoncé. Attendez sa fin, ou arrêtez-la sous Tâches.
