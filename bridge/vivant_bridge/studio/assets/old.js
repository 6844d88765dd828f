// For browsers that know no modules: one sentence instead of an empty page. In the words of 2009 on purpose.
var sentence = document.getElementById("old");
sentence.textContent = "This browser lacks what a live face needs (modules). Use a current Firefox, Chrome, Edge or Safari.";
sentence.removeAttribute("hidden");
