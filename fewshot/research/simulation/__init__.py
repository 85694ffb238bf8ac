"""Made worlds with a known truth: virtual classrooms on video, made lessons, faulty cameras and clocks."""
