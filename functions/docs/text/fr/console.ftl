# La console.
console = Console
console-navigation = Console
console-home = Vue d'ensemble
console-import = Importer
console-jobs = Tâches
console-groups = Groupes
console-sources = Sources
console-fields = Champs
console-workspace = Vos champs, documentés
console-organization = Vous travaillez pour l'organisation { $organization }.
console-may = Ce que vous pouvez faire
console-import-lead = Vérifier un fichier, puis importer ses lignes.
console-jobs-lead = Ce qui a été fait, ce qui est en cours, ce qui a été refusé.
console-groups-lead = Consulter les clients, chercher, révéler, supprimer.
console-sources-lead = D'où viennent les données, et les jetons des programmes.
console-fields-lead = Ce que votre espace conserve d'un client.
console-workspace-lead = La page à donner à ceux qui vous envoient des fichiers.
to-console = Vers la console
what-it-means = Ce que signifie cette erreur, et que faire

sign-in = Se connecter
sign-out = Se déconnecter
sign-in-provider = Se connecter avec le compte de votre organisation
sign-in-or-token = Ou avec un jeton
sign-in-wrong = Ce jeton n'est pas accepté. Vérifiez qu'il a été copié en entier et qu'il n'a pas expiré.
sign-in-too-long = Ce jeton est trop long pour être gardé par un navigateur : 3 900 caractères au plus.
sign-in-ended = Votre session a pris fin. Connectez-vous à nouveau.
sign-in-unreachable = Le registre ne répond pas pour le moment. Réessayez.
token = Jeton
token-hint = Un JSON Web Token de votre fournisseur d'identité, ou le jeton d'une source. Il reste dans un cookie que les scripts ne peuvent pas lire, jusqu'à ce que vous vous déconnectiez ou fermiez le navigateur.

refused-forbidden = Vous n'avez pas ce droit
refused-missing = Cela n'existe pas
refused-busy = Trop de requêtes
refused-other = Cela a été refusé
refused-unreachable = Le registre ne répond pas
refused-unreachable-detail = On ne sait pas ce qu'il est advenu de la demande. Réessayez dans un instant.
