"""Service: the REST surface. It admits tasks, reads trees and never calls a model."""
