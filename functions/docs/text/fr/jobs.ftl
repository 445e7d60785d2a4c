# Les tâches.
jobs-caption = Les plus récentes d'abord. Les tâches sont conservées 90 jours.
jobs-none = Rien n'a encore été importé.
jobs-none-import = Importer un fichier
jobs-pages = Autres tâches
jobs-latest = Tâches les plus récentes
jobs-earlier = Tâches antérieures
jobs-all = Toutes les tâches

job-file = Fichier
job-state = État
job-what = Ce qu'elle fait
job-dataset = Jeu de données
job-source = Source
job-group = Groupe
job-format = Format
job-rows = Lignes
job-rejected = Rejetées
job-registered = Enregistrée
job-started = Commencée
job-finished = Terminée
job-id = Identifiant
job-facts = À propos de cette tâche
job-columns = Ce que ses colonnes sont devenues
job-open = Ouvrir cette tâche
job-cancel = Arrêter cette tâche

state-queued = En attente
state-running = En cours
state-stopping = En cours d'arrêt
state-completed = Terminée
state-completed-with-rejections = Terminée, lignes rejetées
state-cancelled = Annulée
state-failed = Échouée

operation-import = Importation
operation-all-or-nothing = Importation, toutes les lignes ou aucune
operation-update = Mise à jour de clients
operation-dry-run = Essai à blanc
operation-rewrap = Nouveau chiffrement
operation-delete-group = Suppression d'un groupe

delimiter-comma = virgule
delimiter-semicolon = point-virgule
delimiter-tab = tabulation
delimiter-bar = barre verticale

progress = Progression
rows-per-second = { $number } lignes par seconde
dry-run-explained = Rien n'a été écrit : voici ce que ferait une importation.
count-read = Lignes lues
count-created = Créées
count-updated = Mises à jour
count-unchanged = Inchangées
count-rejected = Rejetées
count-duplicates = Répétées dans le fichier
count-superseded = Déjà plus récentes ici

rejected-csv = Télécharger les lignes rejetées
rejected-hint = Corrigez les lignes de ce fichier et importez-le à nouveau tel quel. Il contient des données personnelles : supprimez-le ensuite. Il expire après 7 jours.
rejected-hint-masked = Les valeurs protégées sont masquées, car vous n'avez pas le droit pii:reveal.
rejected-parts = Elles sont si nombreuses qu'elles sont réparties en { $number } fichiers. Chacun peut être corrigé et importé séparément.
rejected-part = Partie { $number }
job-back = Retour à la tâche
report-json = Télécharger le rapport
row-errors = Ce qui ne va pas dans les lignes
row-errors-caption = Les 100 premières au plus ; le rapport contient toutes celles qui sont conservées.
row = Ligne de données
line = Ligne du fichier
column = Colonne
what-is-wrong = Ce qui ne va pas
warning = Avertissement
becomes = Devient
becomes-nothing = laissée de côté
