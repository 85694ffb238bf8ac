"""The students of a class: roster, consent, enrollment, and which track shows which student."""
