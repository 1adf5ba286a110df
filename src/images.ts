// The entry `tapeloop/images`: layers for images and video. Importing it registers their names for saved models.
export {};
