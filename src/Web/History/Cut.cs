namespace FailoverHub.Web.History;

/// <summary>Text that is too long, so that it shows. Pure.</summary>
internal static class Cut
{
    /// <summary>Stands where the rest was.</summary>
    public const string Mark = "… (cut)";

    /// <summary>The text, or its beginning with the mark behind it; never longer than that.</summary>
    /// <param name="text">Any.</param>
    /// <param name="longest">In characters (UTF-16), more than the mark has.</param>
    public static string To(string text, int longest) => text.Length <= longest ? text : text[..(longest - Mark.Length)] + Mark;
}
