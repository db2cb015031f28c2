namespace FailoverHub.Fuzz;

// The first octet of an input says what the rest is: given to the codec (even) or to a whole session (odd). Its other bits are what was agreed on.
// Returning is the good outcome, also for nonsense; anything thrown is a finding.
internal static class FuzzTarget
{
    // A mutator that finds out how to make inputs longer finds nothing else.
    public const int MaxInput = 80_000;

    public static void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2 || input.Length > MaxInput)
        {
            return;
        }

        if ((input[0] & 1) == 0)
        {
            CodecTarget.Run(input[0], input[1], input[2..]);
        }
        else
        {
            new SessionTarget(input[0], input[1]).Run(input[2..]);
        }
    }
}

// Something that must always hold does not.
internal sealed class BrokenRuleException(string message) : Exception(message);
