"""From trained weights to the model bundle: fold, quantize, lower, verify, bundle.

trained weights -> fold      exact rewriting into an inference twin
                -> quantize  int8, calibrated on prepared slices
                -> lower     one XNNPACK delegate, nothing outside it
                -> verify    the written program against the trained network
                -> bundle    both programs and their manifest, whole or not at all
"""
