using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Vivant.V1;

namespace Vivant
{
    /// <summary>A line of a dialogue, as a table has it; what a cell does not say is empty, or null.</summary>
    public sealed class DialogueLine
    {
        /// <summary>Of the table, counted from 1.</summary>
        public int Row;
        public string File = "";
        public string Text = "";
        public string Character = "";
        public string Portrait = "";
        public string Output = "";
        public Emotion? Emotion;
        public float? Intensity;
        public ulong? Seed;

        /// <summary>Without a suffix, below the folder of results; throws FormatException for one that leads out of it.</summary>
        public string ResultName
        {
            get
            {
                string name = Output != "" ? Output : Path.GetFileNameWithoutExtension(File);
                string whole = (Character == "" ? name : Character + "/" + name).Replace('\\', '/');
                if (Array.IndexOf(whole.Split('/'), "..") >= 0 || whole.StartsWith("/") || whole.Contains(":")) throw new FormatException("the result " + whole + " would lie outside of the folder");
                return whole;
            }
        }
    }

    /// <summary>
    /// Tables of dialogue (.csv, also with semicolons or tabs), by the same columns as <c>vivant render LINES.csv</c>: file, text,
    /// character, portrait, emotion, intensity, seed, output. Others are left alone.
    /// </summary>
    public static class DialogueTable
    {
        /// <summary>Throws FormatException, with the row, for what cannot be used.</summary>
        public static List<DialogueLine> Parse(string text)
        {
            var lines = new List<DialogueLine>();
            List<string> names = null;
            char delimiter = Delimiter(text);
            int row = 1;
            for (int at = text.StartsWith("\uFEFF") ? 1 : 0; at < text.Length;)
            {
                int first = row;
                var cells = Cells(text, delimiter, ref at, ref row);
                if (cells.TrueForAll(cell => cell == "")) continue;
                if (names == null) names = cells.ConvertAll(cell => cell.ToLowerInvariant());
                else lines.Add(Line(names, cells, first));
                if (!names.Contains("file")) throw new FormatException("the first row names the columns, and has no 'file'");
            }
            return lines;
        }

        static char Delimiter(string text)
        {
            string head = text.Split('\n')[0];
            char most = ',';
            foreach (char each in ";\t")
                if (head.Split(each).Length > head.Split(most).Length) most = each;
            return most;
        }

        /// <summary>Of one row, which a quoted cell may spread over several lines.</summary>
        static List<string> Cells(string text, char delimiter, ref int at, ref int row)
        {
            var cells = new List<string>();
            var cell = new StringBuilder();
            bool isQuoted = false;
            for (; at < text.Length; at++)
            {
                char next = text[at];
                if (next == '\n') row++;
                if (next == '"' && isQuoted && at + 1 < text.Length && text[at + 1] == '"') cell.Append(text[++at]);
                else if (next == '"') isQuoted = !isQuoted;
                else if (next == delimiter && !isQuoted) Take(cells, cell);
                else if (next == '\n' && !isQuoted) break;
                else cell.Append(next);
            }
            if (isQuoted) throw new FormatException("row " + row + ": a quote is not closed");
            at++;
            Take(cells, cell);
            return cells;
        }

        static void Take(List<string> cells, StringBuilder cell)
        {
            cells.Add(cell.ToString().Trim());
            cell.Length = 0;
        }

        static DialogueLine Line(List<string> names, List<string> cells, int row)
        {
            if (cells.Count > names.Count) throw new FormatException("row " + row + ": " + cells.Count + " cells in " + names.Count + " columns; put texts with commas in quotes");
            var line = new DialogueLine { Row = row };
            for (int i = 0; i < cells.Count; i++)
            {
                if (cells[i] == "") continue;
                switch (names[i])
                {
                    case "file": line.File = cells[i]; break;
                    case "text": line.Text = cells[i]; break;
                    case "character": line.Character = cells[i]; break;
                    case "portrait": line.Portrait = cells[i]; break;
                    case "output": line.Output = cells[i]; break;
                    case "emotion": line.Emotion = EmotionOf(cells[i], row); break;
                    case "intensity": line.Intensity = (float)Number(cells[i], "intensity", 0, 2, row); break;
                    case "seed": line.Seed = SeedOf(cells[i], row); break;
                }
            }
            if (line.File == "") throw new FormatException("row " + row + ": the column 'file' is empty");
            return line;
        }

        static Emotion EmotionOf(string name, int row)
        {
            // Not by TryParse, which takes numbers, too.
            string known = Array.Find(Enum.GetNames(typeof(Emotion)), each => string.Equals(each, name, StringComparison.OrdinalIgnoreCase));
            if (known != null && known != nameof(V1.Emotion.Unspecified)) return (Emotion)Enum.Parse(typeof(Emotion), known);
            throw new FormatException("row " + row + ": there is no emotion '" + name + "'");
        }

        /// <summary>All 64 bits of it, of which a double would lose eleven.</summary>
        static ulong SeedOf(string cell, int row)
        {
            ulong seed;
            if (ulong.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out seed)) return seed;
            throw new FormatException("row " + row + ": seed must be a whole number from 0 to " + ulong.MaxValue + ", got '" + cell + "'");
        }

        static double Number(string cell, string name, double low, double high, int row)
        {
            double number;
            if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && number >= low && number <= high) return number;
            throw new FormatException("row " + row + ": " + name + " must be from " + low + " to " + high + ", got '" + cell + "'");
        }
    }
}
