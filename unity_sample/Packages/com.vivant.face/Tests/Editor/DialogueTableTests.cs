using System;
using NUnit.Framework;
using Vivant.V1;

namespace Vivant.Tests
{
    /// <summary>The same tables as the command line reads.</summary>
    public sealed class DialogueTableTests
    {
        [Test]
        public void ATableSaysHowLinesAreSpoken()
        {
            foreach (string delimiter in new[] { ",", ";", "\t" })
            {
                var lines = DialogueTable.Parse(string.Join("\r\n",
                    "\uFEFFFile,text,character,emotion,intensity,seed,output,notes",
                    "a.wav,\"Well, \"\"hello\"\"\nthere\",ada,Happy,0.5,3,greeting,x",
                    "",
                    "sub/b.wav").Replace(",", delimiter).Replace("Well" + delimiter, "Well,"));
                Assert.AreEqual(2, lines.Count);
                Assert.AreEqual("a.wav|Well, \"hello\"\nthere|ada/greeting", lines[0].File + "|" + lines[0].Text + "|" + lines[0].ResultName);
                Assert.AreEqual(Emotion.Happy, lines[0].Emotion.Value);
                Assert.AreEqual(0.5f, lines[0].Intensity.Value);
                Assert.AreEqual(3UL, lines[0].Seed.Value);
                Assert.AreEqual("b", lines[1].ResultName);
                Assert.AreEqual(5, lines[1].Row);
                Assert.IsTrue(lines[1].Emotion == null && lines[1].Seed == null);
            }
        }

        [Test]
        public void WhatCannotBeUsedIsSaidWithItsRow()
        {
            Refused("emotion\nhappy", "has no 'file'");
            Refused("file,emotion\na.wav,happy\nb.wav,hapy", "row 3: there is no emotion 'hapy'");
            Refused("file,emotion\na.wav,unspecified", "row 2: there is no emotion");
            Refused("file,intensity\na.wav,3", "row 2: intensity must be from 0 to 2");
            Refused("file,seed\na.wav,-1", "row 2: seed must be");
            Refused("file,seed\na.wav,1.5", "row 2: seed must be");
            Refused("file,seed\na.wav,18446744073709551616", "row 2: seed must be");
            Refused("file,emotion\na.wav,1", "row 2: there is no emotion '1'");
            Refused("file,emotion\na.wav,\"happy,sad\"", "row 2: there is no emotion 'happy,sad'");
            Refused("file\na.wav,b", "row 2: 2 cells in 1 columns");
            Refused("file,text\n,hello", "row 2: the column 'file' is empty");
            Refused("file,text\na.wav,\"hello", "a quote is not closed");
        }

        [Test]
        public void ASeedHasAllItsBits()
        {
            foreach (ulong seed in new[] { 4294967296UL, 9007199254740993UL, ulong.MaxValue })
                Assert.AreEqual(seed, DialogueTable.Parse("file,seed\na.wav," + seed)[0].Seed.Value);
        }

        [Test]
        public void NoResultLeavesItsFolder()
        {
            foreach (string name in new[] { "../x", "..\\x", "/x", "C:x" })
            {
                var line = DialogueTable.Parse("file,output\na.wav," + name)[0];
                Assert.IsTrue(Sentence(() => line.ResultName.ToString()).Contains("outside of the folder"));
            }
        }

        static void Refused(string table, string words)
        {
            string said = Sentence(() => DialogueTable.Parse(table));
            if (!said.Contains(words)) throw new Exception("expected '" + words + "', got '" + said + "'");
        }

        static string Sentence(Action action)
        {
            try
            {
                action();
            }
            catch (FormatException error)
            {
                return error.Message;
            }
            return "";
        }
    }
}
