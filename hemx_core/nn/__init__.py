"""The networks (torch): U-Net with EfficientNet-b3 encoder, Wavelet VGG16, and their joint head."""
