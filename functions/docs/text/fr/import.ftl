# Importer un fichier.
import-title = Importer un fichier
import-lead = Choisissez un fichier : vous voyez ce que deviennent ses colonnes. Un essai à blanc dit ce que ferait une importation, sans rien écrire.
import-where = Destination
import-source-hint = D'où viennent les données : minuscules, chiffres et tirets bas, par exemple facturation. Vide signifie api.
import-group = Groupe, outre celui de la source
import-group-none = aucun
import-file = Le fichier
import-drop = Déposez un fichier ici, ou choisissez-en un
import-formats = csv, xlsx, json ou ndjson ; les textes peuvent être compressés avec gzip. Jusqu'à 5 Gio.
import-how = Manière
import-all-or-nothing = Importer toutes les lignes ou, si l'une est rejetée, aucune
import-dry-run = Essai à blanc
import-start = Importer
import-noscript = Sans scripts, on peut envoyer des fichiers de { $number } Mo au plus.
import-result = Résultat
import-sending = Envoi du fichier
import-looking = Lecture du fichier
import-not-sent = Le fichier n'a pas pu être envoyé. Vérifiez la connexion et réessayez.
import-no-file = Choisissez un fichier de 4 Mo au plus ; les plus grands demandent un navigateur avec scripts.
import-no-group = Ce groupe n'existe pas pour ce jeu de données.
dataset-workspace = Espace de travail (vos propres champs)

preview-title = Ce que deviennent ses colonnes
preview-caption = D'après le début du fichier. Rien n'a été enregistré.
preview-sample = Première valeur
preview-missing = Aucune colonne ne correspond à ces champs obligatoires :
preview-ignored = laissée de côté : seul le registre remplit { $field }
preview-near-miss = refusée : vouliez-vous dire { $field } ? Renommez la colonne
preview-events = Le fichier contient des événements, dont les membres ont des noms fixes ; un essai à blanc les vérifie.

badge-pseudonym = pseudonymisé
badge-blur = flouté
badge-encrypt = chiffré
