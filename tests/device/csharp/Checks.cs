using System;
using System.Diagnostics;
using System.Threading;

/// What does not hold ends the program with a sentence.
static class Checks
{
    public static void Require(bool condition, string what)
    {
        if (condition) return;
        Console.Error.WriteLine("expected " + what);
        Environment.Exit(1);
    }

    public static void Until(string what, Func<bool> condition, int waitMs)
    {
        for (var clock = Stopwatch.StartNew(); !condition(); Thread.Sleep(1)) Require(clock.ElapsedMilliseconds < waitMs, what + " in time");
    }
}
