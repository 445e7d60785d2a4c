# Les groupes et leurs clients.
mistakes = Il reste quelque chose à corriger
keep = Annuler, sans rien changer
to-group = Vers le groupe

groups-none = Il n'y a pas encore de groupe. La première importation en crée un pour sa source.
groups-caption = Chaque client fait partie du groupe de sa source, comme customers.generic, et de ceux dans lesquels il a été importé.
groups-more = Autres groupes
groups-first = Premiers groupes
groups-next = Groupes suivants
group = Groupe
group-name = Nom
group-id = Identifiant
group-customers = Clients
group-pages = Pages
group-unknown = Ce groupe n'existe pas.
group-new = Nouveau groupe
group-name-hint = Le nom que lui donnent les gens, 200 caractères au plus.
group-id-optional = Identifiant (facultatif)
group-id-hint = Le nom que lui donnent les programmes : 1 à 64 caractères parmi a-z, 0-9, _, . et -. Il ne peut plus changer ensuite. Si vous laissez ce champ vide, un identifiant est créé.
group-dataset-hint = Un groupe contient des clients d'un seul jeu de données.
group-create = Créer le groupe
group-created = Le groupe est créé. Importez-y un fichier pour le remplir.
group-renamed = Le groupe porte son nouveau nom.
group-name-missing = Un groupe doit avoir un nom.
group-change = Modifier le groupe
group-rename = Renommer le groupe
group-of-source = Ce groupe ne peut pas être supprimé : il contient tous les clients de sa source, aussi longtemps qu'ils existent.
group-delete = Supprimer ce groupe…
group-delete-title = Supprimer le groupe { $name } ?
group-delete-stay = { $count ->
    [0] Il n'a aucun client.
    [one] Son client reste : seul le groupe disparaît.
   *[other] Ses { $number } clients restent : seul le groupe disparaît.
}
group-delete-explained = Le groupe est aussitôt inconnu. Une tâche retire ensuite ses appartenances ; jusqu'à sa fin, aucun autre groupe ne peut prendre cet identifiant. Pour supprimer des personnes, choisissez-les plutôt sur la page du groupe.
group-delete-button = Supprimer le groupe
group-deleting = Le groupe est supprimé. Ses clients restent.
group-deleting-job = Voir la tâche qui retire les appartenances
group-empty = Il n'y a encore personne dans ce groupe.

find = Trouver un client par son identifiant
find-button = Trouver
find-hint = L'identifiant du client à la source, ou son uid. Les identifiants sont comparés tels qu'ils sont écrits : 007 et 7 sont différents.
find-title = Trouver un client
find-no-id = Saisissez l'identifiant à chercher.
find-nobody = Personne dans ce groupe n'a l'identifiant { $id }.
find-as-written = Les identifiants sont comparés tels qu'ils sont écrits : 007 et 7 sont différents, a et A aussi. Une personne supprimée n'est plus trouvée non plus.
find-several = { $count ->
    [one] Un client a cet identifiant.
   *[other] Cet identifiant en désigne { $number }. Choisissez.
}

page-title = Clients, page { $number }
page-rest-title = Clients, suite de la page { $number }
page-empty = Il n'y a plus personne sur cette page.
page-first = Première page
page-previous = Page précédente
page-next = Page suivante
page-last = Dernière page
page-go = { $count ->
    [one] Aller à la page (il y en a une)
   *[other] Aller à la page (1 à { $number })
}
page-go-button = Y aller
page-beyond = { $count ->
    [one] Cette page n'existe pas : le groupe n'en a qu'une.
   *[other] Cette page n'existe pas : le groupe en a { $number }.
}
page-not-a-number = Le numéro d'une page est un nombre entier à partir de 1.
page-rest = Afficher la suite de cette page
page-rest-hint = Les fiches de cette page sont trop grandes pour être affichées en une fois.
page-left-out = { $count ->
    [one] La place a manqué pour un autre client de cette page. Trouvez-le par son identifiant.
   *[other] La place a manqué pour { $number } autres clients de cette page. Trouvez-les par leur identifiant.
}
customers-caption = Les champs les plus parlants. Ouvrez un client pour les voir tous.
customer = Client
customer-id = Client
customer-fields = Champs
field = Champ
value = Valeur
choose = Choisir
created-at = Date de création
changed-at = Modifié
not-set = non renseigné
as-stored = Tel qu'enregistré
whole-value = La valeur entière
stored-encrypted = enregistré chiffré

reveal = Afficher les valeurs chiffrées
reveal-page = Afficher les valeurs chiffrées de cette page
reveal-hint = L'audit en garde la trace, avec votre nom.
revealed = Les valeurs chiffrées sont affichées en clair. L'audit en garde la trace. Les pseudonymes ne permettent pas de retrouver la valeur.
hide = Les masquer à nouveau
delete-chosen = Supprimer les clients choisis…
delete-chosen-hint = Rien n'est encore supprimé : la page suivante demande confirmation.
delete-customer = Supprimer ce client…

erase-title = Supprimer des clients définitivement
erase-number = { $count ->
    [one] Un client va être supprimé.
   *[other] { $number } clients vont être supprimés.
}
erase-irreversible = C'est irréversible.
erase-removed = La fiche disparaît, avec tous les compteurs installés chez le client et ses appartenances à tous les groupes.
erase-fenced = Les importations suivantes refusent l'identifiant du client, jusqu'à ce que quelqu'un le libère volontairement.
erase-backups = Les sauvegardes contiennent ce qui a été supprimé jusqu'à leur expiration, au plus tard après 35 jours. Une sauvegarde restaurée est nettoyée avant d'être utilisée.
erase-caption = Clients à supprimer
erase-count = { $count ->
    [one] Pour confirmer, saisissez le nombre de clients : 1
   *[other] Pour confirmer, saisissez le nombre de clients : { $count }
}
erase-count-hint = En chiffres uniquement.
erase-count-wrong = Ce n'est pas le nombre de clients à supprimer. Rien n'a été supprimé.
erase-nobody = Aucun client n'a été choisi. Cochez ceux à supprimer sur la page du groupe.
erase-too-many = On peut supprimer 1 000 clients au plus en une fois.
erase-button = Supprimer définitivement
erased-title = Suppression
erased-number = { $count ->
    [0] Personne n'a été supprimé.
    [one] Un client a été supprimé.
   *[other] { $number } clients ont été supprimés.
}
erased-not-found = Introuvables
erased-not-found-explained = Ceux-ci n'étaient pas membres du groupe, ou avaient déjà été supprimés.
receipt = Reçu
receipt-explained = Conservez-le : grâce à lui, « clientele verify » prouve qu'il ne reste rien de ces clients. Il ne les désigne que par des empreintes à clé ; il dit aussi qui l'a demandé, quand, et dans quel groupe.
receipt-save = Enregistrer le reçu
receipt-text = Reçu au format JSON

problem-invalid_group_id = Un identifiant a 1 à 64 caractères parmi a-z, 0-9, _, . et - ; il ne peut pas être . ou .. seul.
problem-reserved_group_id = Les identifiants comme customers.generic sont réservés aux groupes de tous les clients d'une source.
problem-group_exists = Un autre groupe a cet identifiant. Choisissez-en un autre, ou laissez ce champ vide.
problem-group_being_deleted = Le groupe qui avait cet identifiant est encore en cours de suppression. Choisissez-en un autre, ou réessayez plus tard.
problem-invalid_name = Un nom a 200 caractères imprimables au plus.
