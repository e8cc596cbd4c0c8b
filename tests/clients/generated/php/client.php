<?php
// Loads classes of the generated client, whose folder is the first argument, and Guzzle's.
declare(strict_types=1);

require 'GuzzleHttp/autoload.php';

// What PHP warns of fails the story.
set_error_handler(fn (int $_, string $text, string $file, int $line) => throw new ErrorException($text, 0, 1, $file, $line));

spl_autoload_register(function (string $class) use ($argv): void {
    $path = explode('\\', $class);
    if (in_array(array_shift($path), ['AppOfferings', 'AppPackages'])) {
        require $argv[1] . '/' . implode('/', $path) . '.php';
    }
});

function equal(string $what, mixed $actual, mixed $wanted): void
{
    if ($actual !== $wanted) {
        throw new Exception("$what: expected " . json_encode($wanted) . ', got ' . json_encode($actual));
    }
}
